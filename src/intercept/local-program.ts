import { setTimeout as sleep } from 'node:timers/promises';
import type { Target, Upstream } from '../forward/forward.ts';
import { dialLoopback } from '../tools/dial-loopback.ts';

/** The program on this machine that responds in place of a service, as the target of its connections. */
export interface LocalProgram extends Upstream {
  /** Milliseconds for which a request may wait now: only while the program restarts. */
  remainingWait(): number;
  /** From now on requests go to the service's own pods, in whichever state the program is. */
  leave(): void;
}

export interface LocalProgramOptions {
  readonly port: number;
  /** The service's own pod, for requests that still come while it is given back. */
  readonly findPod: Upstream['find'];
}

/** Milliseconds that a program may take to restart, as under `node --watch`, before requests are rejected at once. */
const restartTime = 3_000;

/** Milliseconds between two attempts to connect. */
const interval = 50;

export function createLocalProgram({ port, findPod }: LocalProgramOptions): LocalProgram {
  let lastListening = Number.NEGATIVE_INFINITY;
  const left = new AbortController();

  const program: Target = {
    key: 'program',
    endsSeparately: true,
    async dial(signal) {
      const connection = await dialLoopback(port, signal);
      lastListening = performance.now();
      return connection;
    },
    async waitUntilTerminating(signal) {
      await waitForAbort(AbortSignal.any([signal, left.signal]));
    },
  };

  return {
    find: () => (left.signal.aborted ? findPod() : program),
    waitForChange: (signal) => sleep(interval, undefined, { signal }),
    remainingWait: () =>
      left.signal.aborted ? restartTime : Math.max(0, lastListening + restartTime - performance.now()),
    leave: () => left.abort(),
  };
}

function waitForAbort(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
