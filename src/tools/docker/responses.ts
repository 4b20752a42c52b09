import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { exitCodes, Failure } from '../../lib/failure.ts';

/** One line of the engine's response to a pull, load, import or build. */
export interface DockerEvent {
  /** ID of the layer, where the event is about one. */
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly error?: string;
  /** Bytes. */
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

/** The events of a response, as they arrive. @throws {Error} with the engine's message, once an event is an error. */
export async function* readEvents(answer: Readable): AsyncGenerator<DockerEvent> {
  for await (const line of createInterface({ input: answer })) {
    if (line.trim() === '') continue;
    const event: DockerEvent = JSON.parse(line);
    if (event.error !== undefined) throw new Error(event.error);
    yield event;
  }
}

/** The engine's message, without the prefix that the library adds. */
export function messageOf(error: unknown): string {
  const { json, message } = error as {
    readonly json?: { readonly message?: string };
    readonly message?: string;
  };
  const said = json?.message ?? message ?? String(error);
  return said.replace(/^\(HTTP code \d+\) [^-]* - /, '').trim();
}

/** Whether the engine responded that the object does not exist. */
export function isAbsent(error: unknown): boolean {
  const cause = error instanceof Failure ? error.cause : error;
  return (cause as { readonly statusCode?: number } | undefined)?.statusCode === 404;
}

/** The error of a request about `what` as a Failure: rejected by the engine, or the connection was lost. */
export function toFailure(what: string, error: unknown): Failure {
  // A stream that is aborted fails with an AbortError, whose cause is the reason.
  const reason = error instanceof Error && error.name === 'AbortError' ? error.cause : error;
  if (reason instanceof Failure) return reason;
  const { code } = error as { readonly code?: string };
  if (code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ECONNRESET') {
    return new Failure('the container engine stopped responding', { cause: error, hint: 'npm run doctor' });
  }
  const message = messageOf(error);
  if (/no space left on device/.test(message)) {
    return new Failure(`${what}: no space left on the engine's disk`, {
      cause: error,
      hint: 'npm run images -- prune',
      exitCode: exitCodes.host,
    });
  }
  if (/port is already allocated|address already in use|ports are not available/i.test(message)) {
    return new Failure(`${what}: ${message}`, { cause: error, hint: 'npm run up', exitCode: exitCodes.port });
  }
  return new Failure(`${what}: ${message}`, { cause: error });
}
