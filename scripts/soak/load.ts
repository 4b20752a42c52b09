import { setTimeout as sleep } from 'node:timers/promises';
import { request } from '../../test/e2e/ingress.ts';

/** A request that is sent again and again. */
export interface LoadTarget {
  readonly url: string;
  /** What the body must contain. */
  readonly expected: string;
}

export interface FailedRequest {
  readonly at: string;
  readonly url: string;
  readonly reason: string;
}

export interface LoadResult {
  readonly sent: number;
  /** Failed while nothing was stopped or restored. */
  readonly failed: readonly FailedRequest[];
  /** Failed while the node was stopped or databases were replaced. */
  readonly expected: number;
}

export interface Load {
  /** Runs `work`, during which requests may fail. */
  disturb<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when the last request has ended. */
  stop(): Promise<LoadResult>;
}

/** Sends one request after the other in turn to these targets, `interval` milliseconds apart, without waiting for answers. */
export function startLoad(targets: readonly LoadTarget[], interval: number): Load {
  const running = new Set<Promise<void>>();
  const failed: FailedRequest[] = [];
  let sent = 0;
  let expected = 0;
  let isStopped = false;
  let disturbances = 0;
  /** Counts up when one begins, so that a request knows whether it was under way during one. */
  let begun = 0;

  async function send({ url, expected: text }: LoadTarget): Promise<void> {
    const before = begun;
    const isDisturbed = disturbances > 0;
    const reason = await request(url).then(
      ({ status, body }) =>
        status === 200 && body.includes(text) ? undefined : `${status} ${body.slice(0, 200)}`,
      (error) => String(error),
    );
    if (reason === undefined) return;
    if (isDisturbed || begun > before) expected += 1;
    else failed.push({ at: new Date().toISOString(), url, reason });
  }

  async function sendUntilStopped(): Promise<void> {
    for (; !isStopped; sent += 1) {
      const target = targets[sent % targets.length];
      if (!target) throw new Error('there is nothing to request');
      const request = send(target);
      running.add(request);
      void request.finally(() => running.delete(request));
      await sleep(interval);
    }
    await Promise.all(running);
  }

  const finished = sendUntilStopped();
  return {
    async disturb(work) {
      begun += 1;
      disturbances += 1;
      try {
        return await work();
      } finally {
        disturbances -= 1;
      }
    },
    async stop() {
      isStopped = true;
      await finished;
      return { sent, failed, expected };
    },
  };
}
