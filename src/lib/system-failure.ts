import { exitCodes, Failure } from './failure.ts';

/** Errors of the operating system that only the user can fix. */
const states: Readonly<Record<string, { readonly state: string; readonly hint: string }>> = {
  ENOSPC: { state: 'no space left on device', hint: 'npm run images -- prune' },
  EDQUOT: { state: 'disk quota exceeded', hint: 'npm run images -- prune' },
  EROFS: { state: 'the file system is read-only', hint: 'npm run doctor' },
  EACCES: { state: 'permission denied', hint: 'npm run doctor' },
  EPERM: { state: 'permission denied', hint: 'npm run doctor' },
  EMFILE: { state: 'this process has too many open files', hint: 'ulimit -n 4096' },
  ENFILE: { state: 'the system has too many open files', hint: 'npm run doctor' },
};

/** Such an error, wherever it occurred, as a Failure; undefined for any other error. */
export function toSystemFailure(error: unknown): Failure | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  const found = Object.hasOwn(states, String(error.code)) ? states[String(error.code)] : undefined;
  if (!found) return undefined;
  const place = 'path' in error ? ` ${error.path}` : '';
  const message = `${error.syscall}${place}: ${found.state}`;
  return new Failure(message, { cause: error, hint: found.hint, exitCode: exitCodes.host });
}
