import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { StatusReport } from '../../src/commands/context/status/status-report.ts';
import { listDescendants } from '../../src/lib/processes.ts';
import type { Checkout } from './checkout.ts';
import { kubectl, listObjects, namespace } from './cluster.ts';
import type { Running } from './running.ts';

/** The service that the tests intercept, where they name no other. */
export const service = 'board-service';

/** Responds to everything, and echoes messages. */
const program = `
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
const download = randomBytes(12_000_000);
const hashOf = (content) => createHash('sha256').update(content).digest('hex');
const server = createServer((request, response) => {
  if (request.url.endsWith('/download')) {
    response.setHeader('x-hash', hashOf(download));
    return response.end(download);
  }
  if (request.url.endsWith('/events')) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let at = 0;
    const timer = setInterval(() => response.write('data: ' + at++ + ' ' + Date.now() + '\\n\\n'), 100);
    return response.on('close', () => clearInterval(timer));
  }
  let bytes = 0;
  const hash = createHash('sha256');
  request.on('data', (chunk) => { bytes += chunk.length; hash.update(chunk); });
  request.on('end', () => {
    response.setHeader('x-hash', hash.digest('hex'));
    response.end('program got ' + bytes);
  });
});
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (message) => socket.send('program got ' + message));
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => { server.close(); server.closeIdleConnections(); });
`;

/** Writes a program into the checkout that can stand in for any service. Resolves to its path. */
export async function writeProgram({ root }: Checkout): Promise<string> {
  const file = join(root, 'program.mjs');
  await writeFile(file, program);
  return file;
}

export async function findFreePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

/** Intercepts the service by a command, until the end of the test. Resolves when requests go there. */
export async function intercept(checkout: Checkout, ...command: string[]): Promise<Running> {
  return interceptAs(checkout, service, ...command);
}

/** The same with another service. */
export async function interceptAs(checkout: Checkout, name: string, ...command: string[]): Promise<Running> {
  const running = await startIntercept(checkout, name, ...command);
  onTestFinished(() => running.kill());
  return running;
}

/** The same outside of a test. */
export async function startIntercept(
  checkout: Checkout,
  name: string,
  ...command: string[]
): Promise<Running> {
  const running = checkout.start('intercept', name, '--port', await findFreePort(), '--', ...command);
  try {
    await running.said(`${name} is served by 127.0.0.1:`);
  } catch (error) {
    await running.kill();
    throw error;
  }
  return running;
}

/** The process of wealist-local itself, which npm has started. */
export async function findOwnProcess(running: Running): Promise<number> {
  for (const { pid } of await listDescendants(running.pid)) {
    const argv = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (argv.slice(1, 3).some((word) => word.endsWith('bin.js'))) return pid;
  }
  throw new Error('wealist-local does not run');
}

/** Ends a command as Ctrl-C does. */
export async function interrupt(running: Running): Promise<void> {
  process.kill(await findOwnProcess(running), 'SIGINT');
  await running.ended;
}

/** What `status` says of the service. */
export async function readPart(checkout: Checkout) {
  const { stdout } = await checkout.run('status', '--json');
  return StatusReport.parse(JSON.parse(stdout)).parts.find(({ name }) => name === service);
}

/** Who intercepts the service, and what it selects. */
export async function readService(checkout: Checkout) {
  const [found] = (await listObjects(checkout, 'services', `--namespace=${namespace}`)).filter(
    ({ metadata }) => metadata.name === service,
  );
  const { metadata, spec } = found as unknown as {
    readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
    readonly spec: { readonly selector: Readonly<Record<string, string>> };
  };
  return { mark: metadata.annotations['wealist.local/intercept'], selector: spec.selector };
}

/** The selector of a service that is not intercepted. */
export const ownSelector = { 'app.kubernetes.io/name': service, 'app.kubernetes.io/instance': service };

/** Objects of the agent that still exist. */
export async function listTraces(checkout: Checkout): Promise<readonly string[]> {
  const { stdout } = await kubectl(
    checkout,
    ...['get', 'pods,serviceaccounts,roles,rolebindings,networkpolicies'],
    ...[`--namespace=${namespace}`, '--output=name'],
  );
  return stdout.split('\n').filter((line) => line.endsWith(`${service}-intercept`));
}
