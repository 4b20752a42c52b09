import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RequestResult {
  /** Monotonic time of the response, in milliseconds. */
  readonly at: number;
  /** Undefined when the request failed or the response was incomplete. */
  readonly status: number | undefined;
  readonly body: string;
}

/** Sends a request every `interval` milliseconds over keep-alive connections, without waiting for responses. */
export function sendRequests(url: string, { interval = 10 } = {}) {
  const agent = new Agent({ keepAlive: true });
  const results: RequestResult[] = [];
  const running = new Set<Promise<void>>();
  let isStopped = false;

  async function sendRequest(): Promise<void> {
    const end = (status: number | undefined, body: string) => {
      results.push({ at: performance.now(), status, body });
    };
    await new Promise<void>((resolve) => {
      get(url, { agent }, (response) => {
        text(response)
          .then(
            (body) => end(response.statusCode, body),
            (error) => end(undefined, String(error)),
          )
          .finally(resolve);
      }).on('error', (error) => {
        end(undefined, String(error));
        resolve();
      });
    });
  }

  async function sendUntilStopped(): Promise<void> {
    while (!isStopped) {
      const request = sendRequest();
      running.add(request);
      void request.finally(() => running.delete(request));
      await sleep(interval);
    }
    await Promise.all(running);
    agent.destroy();
  }

  const finished = sendUntilStopped();
  return {
    /** Resolves to all results after the last response. */
    async stop(): Promise<readonly RequestResult[]> {
      isStopped = true;
      await finished;
      return results;
    },
  };
}
