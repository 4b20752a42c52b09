import { exitCodes, Failure } from '../lib/failure.ts';
import { toShellWord } from '../lib/shell-word.ts';
import type { Variables } from './pod-environment.ts';

/** Who reads the file: dotenv libraries, `docker run --env-file`, a shell, or anything that reads JSON. */
export const envFormats = ['dotenv', 'json', 'sh', 'docker'] as const;
export type EnvFormat = (typeof envFormats)[number];

/** First line of what this program writes, by which it knows its own file again; JSON has no comments. */
export const envFileHead = '# written by wealist-local, replaced at the next run';

/** The variables as a file. @throws {Failure} exit code 2 for a value that the format cannot hold. */
export function toEnvFile(variables: Variables, format: EnvFormat): string {
  const entries = Object.entries(variables).toSorted(([one], [other]) => (one < other ? -1 : 1));
  if (format === 'json') return `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`;
  const lines = entries.map(([key, value]) => toLine[format](key, value));
  return `${[envFileHead, ...lines].join('\n')}\n`;
}

const toLine: Readonly<Record<Exclude<EnvFormat, 'json'>, (key: string, value: string) => string>> = {
  sh: (key, value) => `export ${key}=${toShellWord(value)}`,

  docker(key, value) {
    if (!/[\r\n]/.test(value)) return `${key}=${value}`;
    throw unsupported(key, 'docker', 'line breaks');
  },

  dotenv(key, value) {
    if (/^[\w@%+:,./-]*$/.test(value)) return `${key}=${value}`;
    // Within the first kind of quotes that the value does not contain, everything is literal but "\n" in double ones.
    const quote = ["'", '`', '"'].find(
      (each) => !value.includes(each) && !(each === '"' && value.includes('\\')),
    );
    if (quote !== undefined) return `${key}=${quote}${value}${quote}`;
    throw unsupported(key, 'dotenv', 'all kinds of quotes');
  },
};

function unsupported(key: string, format: EnvFormat, what: string): Failure {
  return new Failure(`the value of ${key} has ${what}, which the format ${format} cannot hold`, {
    hint: '--format json',
    exitCode: exitCodes.usage,
  });
}
