import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, onTestFinished, vi } from 'vitest';
import { createForward } from '../../src/forward/forward.ts';
import { createLocalProgram } from '../../src/intercept/local-program.ts';
import { createApiServer } from '../../src/tools/kubernetes/api-server.ts';
import { keepPodTunnel } from '../../src/tools/kubernetes/pod-tunnel.ts';
import { startApiServer } from './api-server.ts';
import { makePod, ready } from './cluster-objects.ts';

export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function findFreePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The agent as it runs in the pod. Resolves, when it listens, to a function that waits until it has printed a line. */
async function startAgent(
  ports: { readonly port: number; readonly tunnel: number },
  settings: NodeJS.ProcessEnv,
): Promise<(line: string) => Promise<void>> {
  const program = await readFile('src/intercept/agent.js', 'utf8');
  const agent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    env: {
      PORT: String(ports.port),
      TUNNEL_PORT: String(ports.tunnel),
      SERVICE: 'board-service',
      HINT: 'npm run status',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void agent.kill('SIGKILL'));
  let printed = '';
  agent.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  const said = (line: string) =>
    vi.waitFor(() => expect(printed).toContain(`${line}\n`), { timeout: 10_000 });
  await said(`agent of board-service: port ${ports.port}`);
  return said;
}

/** An agent, the tunnel to it through an API server, and the requests that come to the agent's port. */
export async function intercept(serve: (connection: Duplex) => void, settings: NodeJS.ProcessEnv = {}) {
  const [port, tunnel] = [await findFreePort(), await findFreePort()];
  const said = await startAgent({ port, tunnel }, settings);
  const fake = await startApiServer();
  fake.ports.set('agent', tunnel);
  fake.setPod(makePod('agent', 'owner', { conditions: ready }));
  const stop = new AbortController();
  let opened = 0;
  let lost = 0;
  const kept = keepPodTunnel(createApiServer({ server: fake.url }), {
    target: { namespace: 'wealist-kind-local', pod: 'agent', port: tunnel },
    signal: stop.signal,
    onConnection: serve,
    onOpen: () => opened++,
    onLost: () => lost++,
  });
  kept.catch(() => {});
  onTestFinished(() => stop.abort(new Error('end of the test')));
  await vi.waitFor(() => expect(opened).toBe(1), { timeout: 10_000 });
  return { port, origin: `http://127.0.0.1:${port}`, fake, stop, said, count: () => ({ opened, lost }) };
}

/** The same with a program of this machine behind it, as the command has it. */
export async function interceptProgram(respond: RequestListener, settings?: NodeJS.ProcessEnv) {
  const server = createServer(respond);
  onTestFinished(() => server.closeAllConnections());
  return { ...(await interceptServer(server, settings)), server };
}

/** The same with any server, whatever it speaks. */
export async function interceptServer(server: Server, settings?: NodeJS.ProcessEnv) {
  const port = await listen(server);
  const stop = new AbortController();
  const program = createLocalProgram({ port, findPod: () => undefined });
  const forward = createForward(program, {
    protocol: 'any',
    status: 502,
    signal: stop.signal,
    timeout: program.remainingWait,
    explain: async () => 'nothing listens',
  });
  onTestFinished(() => {
    stop.abort(new Error('end of the test'));
    forward.close();
  });
  const intercepted = await intercept(
    (connection) => void forward.serve(connection).catch(() => {}),
    settings,
  );
  return { ...intercepted, localPort: port, forward, program };
}
