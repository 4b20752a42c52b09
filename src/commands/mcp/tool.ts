import type { z } from 'zod';
import type { AgentRuns } from './agent-runs.ts';
import { untrusted } from './inputs.ts';
import { fitItems, toSafeValue } from './limits.ts';
import type { CliOutcome, RunCli } from './run-cli.ts';

export interface ToolDeps {
  readonly cli: RunCli;
  readonly runs: AgentRuns;
  /** The option that names the environment for commands that read; rejects for one that may not be read. */
  readonly toEnvironment: (wanted: string | undefined) => Promise<readonly string[]>;
  /** Milliseconds within which each call is answered. */
  readonly limit: number;
}

/** What a tool returns: a result by its schema, or why it failed. */
export type ToolResult = { readonly value: object } | { readonly failure: ToolFailure };

export interface ToolFailure {
  readonly exitCode: number;
  readonly failed: string;
  /** The causes; where a person must agree to something, what that is. */
  readonly because?: readonly string[];
  /** A command or a sentence. */
  readonly fix?: string;
}

export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
  /** It changes the cluster. */
  readonly writes: boolean;
  run(input: Record<string, unknown>, signal: AbortSignal): Promise<ToolResult>;
}

/** A tool whose `run` gets the input by its schema. The server checks what it returns by the other schema. */
export function defineTool<I extends z.ZodObject>(tool: {
  readonly name: string;
  readonly description: string;
  readonly input: I;
  readonly output: z.ZodObject;
  readonly writes?: boolean;
  run(input: z.infer<I>, signal: AbortSignal): Promise<ToolResult>;
}): Tool {
  const { run, writes = false, ...rest } = tool;
  return { ...rest, writes, run: (input, signal) => run(input as z.infer<I>, signal) };
}

/** The failure that a run has printed; undefined when it has ended with a result. */
export function findFailure({ exitCode, values, stderr }: CliOutcome): ToolFailure | undefined {
  const last = values.at(-1);
  if (isObject(last) && isObject(last.error)) return toFailure(last.error, exitCode);
  if (last !== undefined || exitCode === 0) return undefined;
  return { exitCode, failed: `ended with exit code ${exitCode}`, because: [stderr.slice(-2_000)] };
}

/** The MCP result: the same JSON as structured content and as text. */
export function toMcpResult(result: ToolResult) {
  const isError = 'failure' in result;
  const value = toSafeValue(isError ? fitFailure(result.failure) : result.value);
  return {
    content: [{ type: 'text' as const, text: JSON.stringify(value) }],
    structuredContent: value as Record<string, unknown>,
    ...(isError ? { isError } : {}),
  };
}

/** The causes may be log lines, and there may be many. */
function fitFailure({ because = [], ...failure }: ToolFailure): object {
  if (because.length === 0) return failure;
  return fitItems(because, (kept, leftOut) => ({
    ...{ ...failure, because: kept, untrusted },
    ...(leftOut > 0 && { leftOut }),
  }));
}

function toFailure(error: Record<string, unknown>, exitCode: number): ToolFailure {
  const several = Array.isArray(error.failures) ? error.failures.filter(isObject) : [];
  const because = [
    ...toTexts(error.because),
    ...several.flatMap((each) => [String(each.message), ...toTexts(each.because)]),
  ];
  const hints = [error, ...several].flatMap(({ hint }) => (typeof hint === 'string' ? [hint] : []));
  const fix = [...new Set(hints)].map(toFix).join('; ');
  return {
    exitCode,
    failed: String(error.message),
    ...(because.length === 0 ? {} : { because: because.map((each) => each.slice(-4_000)) }),
    ...(fix === '' ? {} : { fix }),
  };
}

/** What confirms in advance is for a person to run. */
function toFix(hint: string): string {
  return /(^|\s)--yes(\s|$)/.test(hint) ? `a person has to agree, and run: ${hint}` : hint;
}

function toTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
