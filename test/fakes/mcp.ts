import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { expect, onTestFinished } from 'vitest';
import { createAgentRuns } from '../../src/commands/mcp/agent-runs.ts';
import type { RunCli } from '../../src/commands/mcp/run-cli.ts';
import { createServer } from '../../src/commands/mcp/serve.ts';

const checkout = join(import.meta.dirname, '../..');

type Input = Readonly<Record<string, unknown>>;

/** The official client, connected to the server that `.mcp.json` registers, started as a program. */
export async function startMcp(env: Readonly<Record<string, string>>, ...flags: readonly string[]) {
  const { mcpServers } = JSON.parse(await readFile(join(checkout, '.mcp.json'), 'utf8'));
  const { command, args } = mcpServers['wealist-local'];
  const client = new Client({ name: 'test', version: '1.0.0' });
  const transport = new StdioClientTransport({
    ...{ command, args: [...args, ...flags], cwd: checkout, stderr: 'ignore' },
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return { client, ...toCalls(client) };
}

/** The same server and client in this process, with `cli` in place of the commands. */
export async function connectMcp(
  cli: RunCli,
  { state = '/nonexistent', limit = 45_000, readOnly = false, allowsEnv = false } = {},
) {
  const server = createServer({
    ...{ cli, limit, readOnly, allowsEnv, version: '0.0.0', paths: { state } },
    runs: createAgentRuns(cli, new AbortController().signal),
    toEnvironment: async (wanted = 'local-kind') => [`--env=${wanted}`],
    hideSecrets: async () => {},
  });
  const client = new Client({ name: 'test', version: '1.0.0' });
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(ours), client.connect(theirs)]);
  onTestFinished(() => client.close());
  return { client, ...toCalls(client) };
}

function toCalls(client: Client) {
  /** Calls a tool, and checks what holds for each result. */
  async function call(name: string, input: Input = {}, options: { readonly signal?: AbortSignal } = {}) {
    const result = await client.callTool({ name, arguments: input }, options);
    const [text, ...more] = result.content as readonly { readonly type: string; readonly text: string }[];
    expect(more).toEqual([]);
    expect(JSON.parse(text?.text ?? '')).toEqual(result.structuredContent);
    expect(Buffer.byteLength(text?.text ?? '')).toBeLessThanOrEqual(24_000);
    return {
      isError: result.isError === true,
      // biome-ignore lint/suspicious/noExplicitAny: each tool has another result.
      value: result.structuredContent as any,
    };
  }
  return { call };
}
