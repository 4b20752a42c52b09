import { addAbortSignal, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type Dockerode from 'dockerode';
import { abortable } from '../../lib/abortable.ts';
import { createWatch, type Watch } from '../../lib/watchdog.ts';
import { createEngineLook, type EngineLookOptions } from './engine-look.ts';
import { getFromSocket } from './engine-socket.ts';
import { type DockerEvent, isAbsent, readEvents, toFailure } from './responses.ts';

export interface AbortOptions {
  readonly signal?: AbortSignal | undefined;
}

type Signal = AbortSignal | undefined;

/** Requests to a container engine, each of which ends with a Failure when the engine hangs. @throws {Failure} from every method: `what` was requested, and why it failed. */
export interface DockerConnection {
  /** Ends calls, also those of other programs to this engine, when it has not responded for a minute. */
  readonly watch: Watch;
  /** The library, with a connection of its own to the engine. */
  connect(): Promise<Dockerode>;
  /** One request through the library. Ends at once when aborted, even if the engine does not respond. */
  request<T>(what: string, signal: Signal, send: (api: Dockerode) => Promise<T>): Promise<T>;
  /** A GET request without the library, which many commands then do not load. */
  getJson<T>(what: string, signal: Signal, path: string): Promise<T>;
  requestStream(what: string, signal: Signal, send: StreamRequest): Promise<Readable>;
  /** A change whose progress the engine reports; resolves when it succeeded. */
  follow(
    what: string,
    signal: Signal,
    send: StreamRequest,
    onEvent?: (event: DockerEvent) => void,
  ): Promise<void>;
}

type StreamRequest = (api: Dockerode) => Promise<NodeJS.ReadableStream>;

/** Milliseconds for one request; an engine that pulls and builds is slow. */
const requestTimeout = 60_000;

export interface ConnectionOptions extends EngineLookOptions {
  /** Milliseconds between two questions whether the engine still responds, while a request is running. */
  readonly interval?: number;
}

/** Sends nothing before the first request. */
export function createConnection(
  socket: string,
  { interval = 10_000, ...lookOptions }: ConnectionOptions = {},
): DockerConnection {
  const watch = createWatch(() => {
    const look = createEngineLook(
      (signal) => getFromSocket(socket, '/version', { timeout: requestTimeout, signal }),
      lookOptions,
    );
    return async () => void (await look());
  }, interval);
  let connection: Promise<Dockerode> | undefined;
  // Imported at the first request: it takes a quarter of a second, and many commands do not need it.
  const connect = () => {
    connection ??= import('dockerode').then(
      // Without `host`, a DOCKER_HOST in the environment would win over the socket.
      ({ default: Api }) => new Api({ socketPath: socket, host: '' }),
    );
    return connection;
  };

  const request: DockerConnection['request'] = async (what, signal, send) => {
    signal?.throwIfAborted();
    try {
      return await watch(signal, (limited) => abortable(connect().then(send), limited));
    } catch (error) {
      signal?.throwIfAborted();
      throw toFailure(what, error);
    }
  };

  const requestStream: DockerConnection['requestStream'] = (what, signal, send) =>
    new Promise((resolve, reject) => {
      watch(signal, async (limited) => {
        const stream = addAbortSignal(limited, (await request(what, limited, send)) as Readable);
        resolve(stream);
        // The watch ends with the stream, whose reader gets its error.
        await finished(stream).catch(() => {});
      }).catch(reject);
    });

  return {
    watch,
    connect,
    request,
    requestStream,
    async getJson(what, signal, path) {
      try {
        return await getFromSocket(socket, path, { timeout: requestTimeout, signal });
      } catch (error) {
        signal?.throwIfAborted();
        throw toFailure(what, error);
      }
    },
    async follow(what, signal, send, onEvent = () => {}) {
      const answer = await requestStream(what, signal, send);
      try {
        for await (const event of readEvents(answer)) onEvent(event);
      } catch (error) {
        signal?.throwIfAborted();
        throw toFailure(what, error);
      }
    },
  };
}

/** The result; undefined where the object does not exist. */
export async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
