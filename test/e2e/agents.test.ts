import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, expect } from 'vitest';
import { requestJson } from './ingress.ts';
import { sharedCheckout, test } from './shared-checkout.ts';
import { createTranscript } from './transcript.ts';

const checkout = sharedCheckout();
const transcript = createTranscript(checkout);
const client = new Client({ name: 'an agent', version: '1.0.0' });
let origin = '';

beforeAll(async () => {
  origin = (await checkout.up()).addresses[0]?.url ?? '';
  // As an agent starts it.
  const { mcpServers } = JSON.parse(await readFile(join(checkout.root, '.mcp.json'), 'utf8'));
  const { command, args } = mcpServers['wealist-local'];
  const env = Object.fromEntries(
    Object.entries(checkout.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  await client.connect(new StdioClientTransport({ command, args, cwd: checkout.root, env }));
});

afterAll(() => client.close());

async function call(name: string, input: Readonly<Record<string, unknown>> = {}) {
  const result = await client.callTool({ name, arguments: input });
  // biome-ignore lint/suspicious/noExplicitAny: each tool has another result.
  const called = { isError: result.isError === true, value: result.structuredContent as any };
  transcript.call(name, input, called);
  return called;
}

test('the official client finds a broken service and mends it', async () => {
  const service = { parts: ['noti-service'] };
  transcript.note('The client looks at the cluster:');
  expect(await call('status', { waitFor: 'fresh', seconds: 30 })).toMatchObject({
    ...{ isError: false, value: { waited: 'met', ready: true, fresh: true, shown: [] } },
  });
  const { sourceHash: before } = await requestJson<{ sourceHash: string }>(`${origin}svc/noti/`);

  const check = "if (!process.env.NOTI_CHANNEL) throw new Error('NOTI_CHANNEL is not set');";
  const undo = await checkout.edit('services/noti-service/main.ts', (text) =>
    text.replace('run(service);', `${check}\nrun(service);`),
  );
  transcript.note(`It adds a line to \`services/noti-service/main.ts\`:\n\n\`\`\`ts\n${check}\n\`\`\``);
  transcript.note('It brings the change into the cluster, which fails:');
  const failed = await call('reload', { services: ['noti-service'] });
  expect(failed).toMatchObject({
    isError: true,
    value: { exitCode: 8, fix: expect.stringContaining('npm run') },
  });
  expect(JSON.stringify(failed.value.because)).toContain('NOTI_CHANNEL is not set');
  // The old pod keeps serving.
  expect(await requestJson(`${origin}svc/noti/`)).toMatchObject({ sourceHash: before });

  transcript.note('It looks for the cause:');
  expect((await call('status')).value).toMatchObject({
    ready: false,
    shown: expect.arrayContaining([expect.objectContaining({ name: 'noti-service', state: 'failed' })]),
    well: expect.arrayContaining(['auth-service', 'postgres']),
  });
  const why = await call('why', { part: 'noti-service' });
  expect(why.value.causes[0]).toMatchObject({ about: 'noti-service', state: 'failed' });
  expect(why.value.causes[0].log).toContain('NOTI_CHANNEL is not set');
  const logs = await call('logs', { ...service, grep: 'NOTI_CHANNEL', previous: true, tail: 3 });
  expect(logs.value.lines.join('\n')).toContain('NOTI_CHANNEL is not set');

  await undo();
  transcript.note('No chart sets that variable. The client removes the line, and reloads again:');
  expect(await call('reload', { services: ['noti-service'] })).toMatchObject({ isError: false });
  expect((await call('status', { ...service, waitFor: 'fresh' })).value).toMatchObject({
    ...{ waited: 'met', shown: [{ name: 'noti-service', state: 'ready', freshness: { state: 'fresh' } }] },
  });
  expect((await call('status', { waitFor: 'fresh' })).value).toMatchObject({ waited: 'met', shown: [] });
  expect((await call('why')).value).toMatchObject({ causes: [] });

  transcript.note('The record has both runs, the newest first:');
  const { runs } = (await call('runs')).value;
  expect(runs.slice(0, 2)).toMatchObject([
    { command: 'reload', args: 'noti-service', trigger: 'agent', state: 'ended', exitCode: 0 },
    { command: 'reload', args: 'noti-service', trigger: 'agent', state: 'ended', exitCode: 8 },
  ]);
  await transcript.write(process.env.WEALIST_E2E_TRANSCRIPT);
});
