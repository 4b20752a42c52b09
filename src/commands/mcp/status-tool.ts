import { setMaxListeners } from 'node:events';
import { z } from 'zod';
import type { ComponentReport, StatusReport } from '../context/status/status-report.ts';
import { commonOutput, environmentInput, partsInput, secondsInput, untrusted } from './inputs.ts';
import { fitItems } from './limits.ts';
import { defineTool, findFailure, type Tool, type ToolDeps } from './tool.ts';

type WaitFor = 'ready' | 'fresh';

/** `status`: what is not well in full, the others by name; it can wait. */
export function createStatusTool({ cli, toEnvironment, limit }: ToolDeps, allowsEnv: boolean): Tool {
  return defineTool({
    name: 'status',
    description:
      'State of the cluster, services and data stores. Shows in full what is not ready or does not run its current source, the others by name. waitFor waits until the parts (default: all) are ready, or ready and fresh.',
    input: z.strictObject({
      ...partsInput,
      waitFor: z.enum(['ready', 'fresh']).optional(),
      ...secondsInput,
      ...environmentInput(allowsEnv),
    }),
    output: z.looseObject({
      cluster: z.looseObject({ state: z.string() }),
      ready: z.boolean(),
      fresh: z.boolean(),
      waited: z.enum(['met', 'not met']).optional(),
      shown: z.array(z.looseObject({ name: z.string(), line: z.string() })),
      well: z.array(z.string()),
      ...commonOutput,
    }),
    async run({ parts = [], waitFor, seconds, env }, signal) {
      const args = ['status', ...(await toEnvironment(env))];
      if (waitFor === undefined) {
        const outcome = await cli(args, { signal });
        const failure = findFailure(outcome);
        return failure ? { failure } : { value: toResult(outcome.values.at(-1) as StatusReport, parts) };
      }
      const time = Math.min(limit, seconds === undefined ? limit : seconds * 1000);
      const { report, outcome } = await watch(args, (each) => isMet(each, parts, waitFor), { time, signal });
      const failure = outcome && findFailure(outcome);
      if (failure) return { failure };
      if (!report) {
        const failed = `status has not answered within ${time / 1000} s`;
        return { failure: { exitCode: 5, failed, fix: 'call status without waitFor, or doctor' } };
      }
      const waited = isMet(report, parts, waitFor) ? 'met' : 'not met';
      return { value: { waited, ...toResult(report, parts) } };
    },
  });

  /** Follows the status until it is as wanted, or the time is over. */
  async function watch(
    args: readonly string[],
    isWanted: (report: StatusReport) => boolean,
    { time, signal }: { readonly time: number; readonly signal: AbortSignal },
  ) {
    const over = new AbortController();
    const limits = AbortSignal.any([signal, over.signal]);
    setMaxListeners(0, limits);
    const timer = setTimeout(() => over.abort(), time);
    let report: StatusReport | undefined;
    const onValue = (value: unknown) => {
      const each = value as StatusReport;
      if (!Array.isArray(each.parts)) return;
      report = each;
      if (isWanted(each)) over.abort();
    };
    try {
      const outcome = await cli([...args, '--watch'], { signal: limits, onValue });
      return { report, outcome };
    } catch (error) {
      signal.throwIfAborted();
      if (!over.signal.aborted) throw error;
      return { report, outcome: undefined };
    } finally {
      clearTimeout(timer);
    }
  }
}

function toResult(report: StatusReport, parts: readonly string[]) {
  const { environment, cluster, ready, fresh, ingress, next } = report;
  const { name, state, evidence } = cluster;
  const isShown = (part: ComponentReport) => (parts.length === 0 ? !isWell(part) : parts.includes(part.name));
  const well = report.parts.filter((part) => !isShown(part) && isWell(part)).map((part) => part.name);
  return fitItems(report.parts.filter(isShown), (shown, leftOut) => ({
    ...{ environment, ready, fresh },
    cluster: { name, state, ...(evidence === undefined ? {} : { evidence }) },
    ...(ingress && { ingress }),
    ...{ shown, well, ...(shown.length > 0 && { untrusted }) },
    ...(leftOut > 0 && { leftOut }),
    ...(next === undefined ? {} : { next }),
  }));
}

function isWell({ state, freshness }: ComponentReport): boolean {
  return state === 'ready' && freshness?.state !== 'stale';
}

function isMet(report: StatusReport, names: readonly string[], waitFor: WaitFor): boolean {
  if (report.cluster.state !== 'running') return false;
  if (names.length === 0) return report.ready && (waitFor === 'ready' || report.fresh);
  return names.every((name) => {
    const part = report.parts.find((each) => each.name === name);
    return part !== undefined && (waitFor === 'ready' ? part.state === 'ready' : isWell(part));
  });
}
