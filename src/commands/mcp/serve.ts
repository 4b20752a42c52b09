import { McpServer } from '@modelcontextprotocol/server';
import { Failure } from '../../lib/failure.ts';
import { toFailureValue } from '../../ui/failure.ts';
import { createDoctorTool, createLogsTool, createPlanTool, createWhyTool } from './read-tools.ts';
import { createRunsTool } from './runs-tool.ts';
import { createStatusTool } from './status-tool.ts';
import { findFailure, type Tool, type ToolDeps, type ToolResult, toMcpResult } from './tool.ts';
import { createReloadTool, createUpTool } from './write-tools.ts';

export interface ServerOptions extends ToolDeps {
  readonly paths: { readonly state: string };
  readonly version: string;
  /** Without `reload` and `up`. */
  readonly readOnly: boolean;
  /** Tools that read take the name of an environment, also of a remote one. */
  readonly allowsEnv: boolean;
  /** Reads the secrets that must not be in any result. */
  readonly hideSecrets: () => Promise<void>;
}

const instructions =
  'weAlist runs on a Kind cluster of this checkout. After an edit: reload the service, then status; if something is not ready, why. A failure has exitCode, because and fix. A fix that a person has to agree to is for that person.';

/** The MCP server with its tools, not yet connected. */
export function createServer(options: ServerOptions): McpServer {
  const { version, readOnly, allowsEnv, paths } = options;
  const server = new McpServer({ name: 'wealist-local', version }, { instructions });
  const tools = [
    createStatusTool(options, allowsEnv),
    createWhyTool(options, allowsEnv),
    createLogsTool(options, allowsEnv),
    createPlanTool(options, allowsEnv),
    createDoctorTool(options),
    createRunsTool(options, paths),
    ...(readOnly ? [] : [createReloadTool(options), createUpTool(options)]),
  ];
  for (const tool of tools) register(server, tool, options);
  return server;
}

function register(server: McpServer, tool: Tool, { limit, hideSecrets }: ServerOptions): void {
  const { name, description, input, output, writes, run } = tool;
  const annotations = {
    readOnlyHint: !writes,
    ...(writes && { destructiveHint: false, idempotentHint: true }),
    openWorldHint: false,
  };
  server.registerTool(
    name,
    { description, inputSchema: input, outputSchema: output, annotations },
    async (args, { mcpReq: { signal } }) => {
      await hideSecrets();
      // A call that reads and does not end has no result; one that writes answers before.
      const over = AbortSignal.timeout(limit + 10_000);
      const result = await run(args as Record<string, unknown>, AbortSignal.any([signal, over])).catch(
        (error: unknown) => toFailureResult(error, { signal, over, name }),
      );
      return toMcpResult(result);
    },
  );
}

/** @throws the error of a request that was cancelled, and a bug. */
function toFailureResult(
  error: unknown,
  { signal, over, name }: { readonly signal: AbortSignal; readonly over: AbortSignal; readonly name: string },
): ToolResult {
  signal.throwIfAborted();
  if (over.aborted) {
    const failed = `${name} has not ended in time and was stopped`;
    return { failure: { exitCode: 143, failed, fix: 'call doctor' } };
  }
  if (!(error instanceof Failure)) throw error;
  const { exitCode } = error;
  const failure = findFailure({ exitCode, values: [{ error: toFailureValue(error) }], stderr: '' });
  if (!failure) throw error;
  return { failure };
}
