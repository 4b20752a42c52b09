import { addAbortSignal, type Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { abortable } from '../../lib/abortable.ts';
import { getFromSocket } from './engine-socket.ts';
import { type DockerEvent, isAbsent, readEvents, toFailure } from './responses.ts';

export interface AbortOptions {
  readonly signal?: AbortSignal | undefined;
}

type Signal = AbortSignal | undefined;

/** Requests to a container engine. @throws {Failure} from every method: `what` was requested, and why it failed. */
export interface DockerConnection {
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

/** Sends nothing before the first request. */
export function createConnection(socket: string): DockerConnection {
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
      return await abortable(connect().then(send), signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw toFailure(what, error);
    }
  };

  const requestStream: DockerConnection['requestStream'] = async (what, signal, send) => {
    const stream = (await request(what, signal, send)) as Readable;
    return signal ? addAbortSignal(signal, stream) : stream;
  };

  return {
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
