import { addAbortSignal, type Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { untilAborted } from '../../lib/until-aborted.ts';
import { type DockerEvent, isAbsent, readEvents, toFailure } from './answers.ts';
import { askSocket } from './engine-socket.ts';

export interface Aborting {
  readonly signal?: AbortSignal | undefined;
}

type Signal = AbortSignal | undefined;

/** How a container engine is asked. @throws {Failure} from every method: `what` was asked for, and what became of it. */
export interface DockerConnection {
  /** The library, with a connection of its own to the engine. */
  connect(): Promise<Dockerode>;
  /** One question or change. What the engine leaves unanswered does not hold an aborted run. */
  ask<T>(what: string, signal: Signal, question: (api: Dockerode) => Promise<T>): Promise<T>;
  /** A question that needs no library: it is what commands begin with. */
  askPlainly<T>(what: string, signal: Signal, path: string): Promise<T>;
  askForStream(what: string, signal: Signal, question: StreamQuestion): Promise<Readable>;
  /** A change that the engine tells about while it goes on; resolves when it ended well. */
  follow(
    what: string,
    signal: Signal,
    question: StreamQuestion,
    onEvent?: (event: DockerEvent) => void,
  ): Promise<void>;
}

type StreamQuestion = (api: Dockerode) => Promise<NodeJS.ReadableStream>;

/** Milliseconds for one question; an engine that pulls and builds takes its time. */
const questionTimeout = 60_000;

/** Asks nobody anything. */
export function createConnection(socket: string): DockerConnection {
  let connection: Promise<Dockerode> | undefined;
  // Imported at the first question: it takes a quarter of a second, and many commands ask none.
  const connect = () => {
    connection ??= import('dockerode').then(
      // Without `host`, a DOCKER_HOST in the environment would win over the socket.
      ({ default: Api }) => new Api({ socketPath: socket, host: '' }),
    );
    return connection;
  };

  const ask: DockerConnection['ask'] = async (what, signal, question) => {
    signal?.throwIfAborted();
    try {
      return await untilAborted(connect().then(question), signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw toFailure(what, error);
    }
  };

  const askForStream: DockerConnection['askForStream'] = async (what, signal, question) => {
    const stream = (await ask(what, signal, question)) as Readable;
    return signal ? addAbortSignal(signal, stream) : stream;
  };

  return {
    connect,
    ask,
    askForStream,
    async askPlainly(what, signal, path) {
      try {
        return await askSocket(socket, path, { timeout: questionTimeout, signal });
      } catch (error) {
        signal?.throwIfAborted();
        throw toFailure(what, error);
      }
    },
    async follow(what, signal, question, onEvent = () => {}) {
      const answer = await askForStream(what, signal, question);
      try {
        for await (const event of readEvents(answer)) onEvent(event);
      } catch (error) {
        signal?.throwIfAborted();
        throw toFailure(what, error);
      }
    },
  };
}

/** The answer; undefined where what was asked for is not there. */
export async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
