import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { exitCodes, Failure } from '../../lib/failure.ts';

/** One line of the engine's answer to a pull, load, import or build. */
export interface DockerEvent {
  /** Of a layer, where the event is about one. */
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly error?: string;
  /** Bytes. */
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

/** The events of an answer, as they come. @throws the engine's own message, once an event is an error. */
export async function* readEvents(answer: Readable): AsyncGenerator<DockerEvent> {
  for await (const line of createInterface({ input: answer })) {
    if (line.trim() === '') continue;
    const event: DockerEvent = JSON.parse(line);
    if (event.error !== undefined) throw new Error(event.error);
    yield event;
  }
}

/** What the engine itself said, without what the library puts in front. */
export function messageOf(error: unknown): string {
  const { json, message } = error as {
    readonly json?: { readonly message?: string };
    readonly message?: string;
  };
  const said = json?.message ?? message ?? String(error);
  return said.replace(/^\(HTTP code \d+\) [^-]* - /, '').trim();
}

/** The engine says that the thing asked for is not there. */
export function isAbsent(error: unknown): boolean {
  const cause = error instanceof Failure ? error.cause : error;
  return (cause as { readonly statusCode?: number } | undefined)?.statusCode === 404;
}

/** An engine that refuses, or that went away in the middle, as a Failure about `what`. */
export function toFailure(what: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
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
  return new Failure(`${what}: ${message}`, { cause: error });
}
