import { z } from 'zod';
import { exitCodes } from '../../lib/failure.ts';
import { toShellWord } from '../../lib/shell-word.ts';
import { levels } from '../../logs/log-level.ts';
import type { WhyReport } from '../context/why/why-report.ts';
import { commonOutput, environmentInput, partInput, partsInput, untrusted } from './inputs.ts';
import { fitItems, fits } from './limits.ts';
import { defineTool, findFailure, type Tool, type ToolDeps } from './tool.ts';

/** Causes that `why` returns, and lines of each log. */
const causesLimit = 10;
const logLinesLimit = 20;

/** Lines that are read of each container, before they are filtered. */
const linesRead = 5_000;

export function createWhyTool({ cli, toEnvironment }: ToolDeps, allowsEnv: boolean): Tool {
  return defineTool({
    name: 'why',
    description:
      'Ranked causes of what is not ready or does not respond, each with evidence, log lines, whom it affects and the next command. Run it before reading logs.',
    input: z.strictObject({ ...partInput, ...environmentInput(allowsEnv) }),
    output: z.looseObject({
      line: z.string(),
      causes: z.array(z.looseObject({ line: z.string() })),
      ...commonOutput,
    }),
    async run({ part, env }, signal) {
      const names = part === undefined ? [] : [part];
      const outcome = await cli(['why', ...(await toEnvironment(env)), ...names], { signal });
      const failure = findFailure(outcome);
      if (failure) return { failure };
      const { line, cluster, causes, next } = outcome.values.at(-1) as WhyReport;
      const short = causes.map(({ log, ...cause }) => ({
        ...cause,
        ...(log === undefined ? {} : { log: log.split('\n').slice(-logLinesLimit).join('\n') }),
      }));
      const build = (kept: readonly (typeof short)[number][], leftOut: number) => ({
        ...{ line, untrusted, cluster, causes: kept },
        ...(leftOut > 0 && { leftOut }),
        ...(next === undefined ? {} : { next }),
      });
      return { value: fitItems(short, (kept, leftOut) => build(kept, leftOut), { limit: causesLimit }) };
    },
  });
}

interface LogDocument {
  readonly time?: string;
  readonly service?: string;
  readonly level?: string;
  readonly message?: string;
  readonly fields?: object;
  readonly stack?: string;
  readonly gap?: boolean;
}

export function createLogsTool({ cli, toEnvironment }: ToolDeps, allowsEnv: boolean): Tool {
  return defineTool({
    name: 'logs',
    description: `The last log lines of services and data stores, merged by time, with how many were left out. ${untrusted}.`,
    input: z.strictObject({
      ...partsInput,
      level: z.enum(levels).optional(),
      grep: z.string().max(200).optional(),
      since: z
        .string()
        .regex(/^\d{1,6}[smhd]$/)
        .optional(),
      previous: z.boolean().optional(),
      tail: z.int().min(1).max(500).optional(),
      ...environmentInput(allowsEnv),
    }),
    output: z.looseObject({ lines: z.array(z.string()), leftOut: z.number(), more: z.string() }),
    async run({ parts = [], level, grep, since, previous, tail = 100, env }, signal) {
      const filter = [
        ...(level === undefined ? [] : [`--level=${level}`]),
        ...(grep === undefined ? [] : [`--grep=${grep}`]),
        ...(since === undefined ? [] : [`--since=${since}`]),
        ...(previous ? ['--previous'] : ['--no-follow']),
      ];
      const names = ['logs', ...(await toEnvironment(env)), ...parts];
      const outcome = await cli([...names, ...filter, `--tail=${linesRead}`], { signal });
      const failure = findFailure(outcome);
      if (failure) return { failure };
      const lines = outcome.values.map((each) => toLogLine(each as LogDocument));
      const more = toMore(parts, filter);
      const build = (kept: readonly string[], leftOut: number) => ({
        ...{ untrusted, lines: kept, leftOut, more },
      });
      return { value: fitItems(lines, build, { keeps: 'last', limit: tail }) };
    },
  });
}

/** The line with everything, for a person. */
function toMore(parts: readonly string[], filter: readonly string[]): string {
  const words = [...parts, ...filter.map(toShellWord)];
  return `npm run logs -- ${words.join(' ')}`;
}

function toLogLine({ time, service, level, message, fields, stack, gap }: LogDocument): string {
  if (gap) return `${time} ${service} -- gap --`;
  const more = fields && Object.keys(fields).length > 0 ? JSON.stringify(fields) : undefined;
  const line = [time, service, level?.toUpperCase(), message, more].filter(Boolean).join(' ');
  return stack === undefined ? line : `${line}\n${stack}`;
}

interface PlanDocument {
  readonly environment: string;
  readonly differs?: boolean;
  readonly comparison: {
    readonly with?: string;
    readonly reason?: string;
    readonly objects: readonly {
      readonly kind: string;
      readonly name: string;
      readonly change: string;
      readonly problem?: string;
      readonly fields: readonly {
        readonly path: string;
        readonly before?: string;
        readonly after?: string;
      }[];
    }[];
  };
}

/** Fields that `plan` returns. */
const fieldsLimit = 100;

export function createPlanTool({ cli, toEnvironment }: ToolDeps, allowsEnv: boolean): Tool {
  return defineTool({
    name: 'plan',
    description: 'What up would change in the objects of the cluster, field by field. Changes nothing.',
    input: z.strictObject({ ...environmentInput(allowsEnv) }),
    output: z.looseObject({
      comparedWith: z.string(),
      objects: z.array(z.looseObject({ object: z.string() })),
      fields: z.array(z.looseObject({ path: z.string() })),
    }),
    async run({ env }, signal) {
      const outcome = await cli(['plan', ...(await toEnvironment(env))], { signal });
      const failure = findFailure(outcome);
      if (failure) return { failure };
      const { differs, comparison } = outcome.values.at(-1) as PlanDocument;
      const changed = comparison.objects.filter(({ change }) => change !== 'same');
      const toName = ({ kind, name }: { kind: string; name: string }) => `${kind}/${name}`;
      const objects = changed.map(({ kind, name, change, problem }) => ({
        ...{ object: toName({ kind, name }), change },
        ...(problem === undefined ? {} : { problem }),
      }));
      const fields = changed.flatMap(({ kind, name, fields: all }) =>
        all.map((field) => ({ object: toName({ kind, name }), ...field })),
      );
      const comparedWith = comparison.with ?? comparison.reason ?? 'nothing';
      const build = (kept: readonly (typeof fields)[number][], leftOut: number) => ({
        ...{ comparedWith, objects, fields: kept },
        ...(differs === undefined ? {} : { differs }),
        ...(leftOut > 0 && { leftOut }),
      });
      return { value: fitItems(fields, (kept, left) => build(kept, left), { limit: fieldsLimit }) };
    },
  });
}

interface DoctorDocument {
  readonly checks: readonly {
    readonly title: string;
    readonly state: 'ok' | 'warn' | 'fail';
    readonly detail: string;
    readonly fix?: string;
  }[];
}

export function createDoctorTool({ cli }: ToolDeps): Tool {
  return defineTool({
    name: 'doctor',
    description:
      'Checks machine, container engine, ports, disk and network. Returns what is not in order, with fixes for a person.',
    input: z.strictObject({}),
    output: z.looseObject({
      failing: z.array(z.looseObject({ title: z.string() })),
      ok: z.array(z.string()),
    }),
    async run(_, signal) {
      const outcome = await cli(['doctor'], { signal });
      const failure = findFailure(outcome);
      if (failure) return { failure };
      const { checks } = outcome.values.at(-1) as DoctorDocument;
      const failing = checks
        .filter(({ state }) => state !== 'ok')
        .toSorted((one, other) => Number(one.state === 'warn') - Number(other.state === 'warn'))
        .map(({ title, state, detail, fix }) => ({ title, state, detail, ...(fix && { fix }) }));
      const ok = checks.filter(({ state }) => state === 'ok').map(({ title }) => title);
      const value = { failing, ok };
      if (fits(value)) return { value };
      return { failure: { exitCode: exitCodes.bug, failed: 'too many checks', fix: 'npm run doctor' } };
    },
  });
}
