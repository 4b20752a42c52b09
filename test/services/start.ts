import { onTestFinished } from 'vitest';
import type { Dependencies } from '../../services/common/dependency.ts';
import type { ServiceDefinition } from '../../services/common/service.ts';
import { type StartOptions, start } from '../../services/common/start.ts';

export interface TestedService {
  readonly port: number;
  readonly url: string;
  /** The parsed log lines so far. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  stop(): Promise<void>;
}

/** Starts a service on a free port and stops it at the end of the test. */
export async function startTested<D extends Dependencies>(
  definition: ServiceDefinition<D>,
  options: Partial<StartOptions> = {},
): Promise<TestedService> {
  const log: Record<string, unknown>[] = [];
  const write = (line: string) => void log.push(JSON.parse(line));
  const running = await start(definition, {
    env: {},
    port: 0,
    write,
    idleTimeout: 0,
    drainTimeout: 1_000,
    ...options,
  });
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= running.stop());
  onTestFinished(stop);
  return { port: running.port, url: `http://127.0.0.1:${running.port}`, log, stop };
}

/** Sends a request and returns the status and the parsed JSON. */
export async function fetchJson(url: string, init?: RequestInit): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}
