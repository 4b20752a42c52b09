import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Answer {
  /** Milliseconds on the monotonic clock, when it was there. */
  readonly at: number;
  /** Undefined for one that never came, or was broken off. */
  readonly status: number | undefined;
  readonly body: string;
}

/** Asks a URL every ten milliseconds, on kept connections, whatever becomes of the requests before. */
export function ask(url: string, { interval = 10 } = {}) {
  const agent = new Agent({ keepAlive: true });
  const answers: Answer[] = [];
  const running = new Set<Promise<void>>();
  let isOver = false;

  async function one(): Promise<void> {
    const end = (status: number | undefined, body: string) => {
      answers.push({ at: performance.now(), status, body });
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

  async function all(): Promise<void> {
    while (!isOver) {
      const asked = one();
      running.add(asked);
      void asked.finally(() => running.delete(asked));
      await sleep(interval);
    }
    await Promise.all(running);
    agent.destroy();
  }

  const over = all();
  return {
    /** Resolves to all answers, once the last has come. */
    async stop(): Promise<readonly Answer[]> {
      isOver = true;
      await over;
      return answers;
    },
  };
}
