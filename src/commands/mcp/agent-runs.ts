import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CliOutcome, RunCli } from './run-cli.ts';

/** A run that this server has started. */
export interface AgentRun {
  readonly id: string;
  /** How it ended; undefined while it runs. */
  readonly outcome: CliOutcome | undefined;
  /** Waits this long, at most, for its end. */
  wait(milliseconds: number, signal: AbortSignal): Promise<CliOutcome | undefined>;
}

/** The runs that this server has started. They end with the server, in order, as with a closed terminal. */
export interface AgentRuns {
  /** Runs a command that changes something. `signal` ends it in order. */
  start(args: readonly string[], signal: AbortSignal): AgentRun;
  find(id: string): AgentRun | undefined;
  /** Resolves when all of them have ended. */
  idle(): Promise<void>;
}

/** Ended runs that are kept in memory; the record of runs has them all. */
const kept = 20;

export function createAgentRuns(cli: RunCli, serverSignal: AbortSignal): AgentRuns {
  const runs = new Map<string, AgentRun>();
  const running = new Set<Promise<void>>();

  function start(args: readonly string[], signal: AbortSignal): AgentRun {
    const id = randomUUID();
    let outcome: CliOutcome | undefined;
    let error: { readonly reason: unknown } | undefined;
    const ended = cli(args, { signal: AbortSignal.any([signal, serverSignal]), runId: id }).then(
      (result) => {
        outcome = result;
      },
      (reason: unknown) => {
        error = { reason };
      },
    );
    running.add(ended);
    void ended.then(() => running.delete(ended));
    const run: AgentRun = {
      id,
      get outcome() {
        return outcome;
      },
      async wait(milliseconds, waitSignal) {
        const over = new AbortController();
        const limits = { signal: AbortSignal.any([over.signal, waitSignal]), ref: false };
        await Promise.race([ended, sleep(milliseconds, undefined, limits)]).finally(() => over.abort());
        if (error) throw error.reason;
        return outcome;
      },
    };
    runs.set(id, run);
    for (const [old, { outcome: result }] of runs) if (runs.size > kept && result) runs.delete(old);
    return run;
  }

  return {
    start,
    find: (id) => runs.get(id),
    async idle() {
      await Promise.all(running);
    },
  };
}
