import { once } from 'node:events';
import { abortable } from './abortable.ts';
import { type Dependency, usingDependency } from './dependency.ts';
import { describeError } from './describe-error.ts';
import type { Settings } from './settings.ts';

type CreateClient = typeof import('@redis/client').createClient;
type Client = ReturnType<typeof create>;
type Listener = (message: string) => void;

export interface Redis extends Dependency {
  /** Runs commands. @throws {HttpError} 503 when Redis is unavailable. */
  use<T>(commands: (client: Client) => Promise<T>): Promise<T>;
  publish(channel: string, message: string): Promise<void>;
  /**
   * Receives messages that any replica publishes from now on, also after an outage of Redis; messages during the outage
   * are lost. Returns a function that unsubscribes.
   */
  subscribe(channel: string, listener: Listener): () => void;
}

/** The Redis of REDIS_URL, else of REDIS_HOST, REDIS_PORT and REDIS_PASSWORD. */
export function redis(settings: Settings): Redis {
  const url = readAddress(settings);
  const listeners = new Map<string, Set<Listener>>();
  let createClient: CreateClient | undefined;
  let client: Client | undefined;
  let subscriber: Client | undefined;
  let lastError = 'not connected yet';

  const recordError = (error: unknown) => {
    lastError = describeError(error);
  };

  /** Imported on first use, so that the service listens earlier: a probe that fails is repeated only a second later. */
  async function load(): Promise<CreateClient> {
    createClient ??= (await import('@redis/client')).createClient;
    return createClient;
  }

  function open(createClient: CreateClient): Client {
    const newClient = create(createClient, url);
    newClient.on('error', recordError);
    // The client reconnects by itself. This promise rejects only when the client is destroyed before it has connected.
    newClient.connect().catch(recordError);
    return newClient;
  }

  async function getClient(): Promise<Client> {
    const createClient = await load();
    client ??= open(createClient);
    return client;
  }

  async function run<T>(commands: (client: Client) => Promise<T>): Promise<T> {
    const client = await getClient();
    if (!client.isReady) throw new Error(lastError);
    return await commands(client);
  }

  async function ping(signal: AbortSignal): Promise<void> {
    const client = await getClient();
    // Rejects when an attempt to connect fails.
    if (!client.isReady) await once(client, 'ready', { signal });
    await abortable(client.ping(), signal);
  }

  const deliver = (message: string, channel: string) => {
    for (const listener of listeners.get(channel) ?? []) listener(message);
  };

  function subscribeChannel(channel: string): void {
    // Otherwise all channels are subscribed to on connect.
    if (subscriber?.isReady) subscriber.subscribe(channel, deliver).catch(recordError);
  }

  async function openSubscriber(): Promise<void> {
    const createClient = await load();
    if (subscriber || listeners.size === 0) return;
    const newClient = open(createClient);
    subscriber = newClient;
    newClient.on('ready', () => {
      // The library has one entry per channel and function, so that subscribing again is safe.
      for (const channel of listeners.keys()) subscribeChannel(channel);
    });
  }

  /** A connection whose other end vanished without closing it looks open for minutes, so it is replaced. */
  function reconnect(): void {
    client?.destroy();
    client = undefined;
    subscriber?.destroy();
    subscriber = undefined;
    openSubscriber().catch(recordError);
  }

  return {
    name: 'redis',
    kind: 'store',
    use: (commands) => usingDependency('redis', () => run(commands)),
    async publish(channel, message) {
      await usingDependency('redis', () => run((client) => client.publish(channel, message)));
    },
    subscribe(channel, listener) {
      const known = listeners.get(channel);
      if (known) known.add(listener);
      else listeners.set(channel, new Set([listener]));
      if (!known) subscribeChannel(channel);
      openSubscriber().catch(recordError);
      return () => {
        const left = listeners.get(channel);
        left?.delete(listener);
        if (left?.size !== 0) return;
        listeners.delete(channel);
        if (subscriber?.isReady) subscriber.unsubscribe(channel).catch(recordError);
      };
    },
    async probe(signal) {
      try {
        await ping(signal);
      } catch (error) {
        if (signal.aborted) reconnect();
        throw error;
      }
    },
    async close() {
      listeners.clear();
      subscriber?.destroy();
      client?.destroy();
    },
  };
}

function create(createClient: CreateClient, url: string) {
  return createClient({
    url,
    socket: { connectTimeout: 2_000, reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, 1_000) },
    // Without a connection, a command fails immediately instead of waiting for the end of the outage.
    disableOfflineQueue: true,
  });
}

function readAddress(settings: Settings): string {
  if (settings.optional('REDIS_URL') !== undefined) return settings.url('REDIS_URL');
  const host = settings.text('REDIS_HOST');
  const password = settings.optional('REDIS_PASSWORD');
  const login = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
  return `redis://${login}${host}:${settings.count('REDIS_PORT', 6379)}`;
}
