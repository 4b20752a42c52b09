import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { symlink, writeFile } from 'node:fs/promises';
import { Agent, get, request as send } from 'node:http';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { copyCheckout, openCheckout } from './checkout.ts';
import { findChromium, launchChromium } from './chromium.ts';
import { docker, kubectl, namespace, nodeOf } from './cluster.ts';
import { request } from './ingress.ts';
import {
  intercept,
  interceptAs,
  interrupt,
  listTraces,
  ownSelector,
  readPart,
  readService,
  service,
  writeProgram,
} from './intercepted.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
const node = process.execPath;
let origin = '';
let board = '';
let file = '';

beforeAll(async () => {
  origin = (await checkout.up()).addresses[0]?.url ?? '';
  board = `${origin}svc/board/`;
  file = await writeProgram(checkout);
});

afterAll(async () => {
  // The scenarios after this one want what `up` makes.
  await checkout.up();
});

const hashOf = (content: Buffer) => createHash('sha256').update(content).digest('hex');

/** Runs a script of Node.js in a pod of another service. */
async function runIn(name: string, script: string): Promise<string> {
  const target = ['exec', `--namespace=${namespace}`, `deployment/${name}`, '--'];
  return (await kubectl(checkout, ...target, 'node', '--input-type=module', '--eval', script)).stdout.trim();
}

describe('traffic', () => {
  test('200 requests at once, 12 MB in both directions, and events as they come', async () => {
    const running = await intercept(checkout, node, file);
    const agent = new Agent({ keepAlive: true, maxSockets: 200 });
    onTestFinished(() => agent.destroy());
    const post = async (body: Buffer) => {
      const [response] = await once(send(`${board}x`, { method: 'POST', agent }).end(body), 'response');
      return {
        status: response.statusCode,
        isWhole: response.headers['x-hash'] === hashOf(body),
        body: await text(response),
      };
    };
    const bodies = Array.from({ length: 200 }, (_, at) => randomBytes(1 + at * 50));
    expect(await Promise.all(bodies.map(post))).toEqual(
      bodies.map(({ length }) => ({ status: 200, isWhole: true, body: `program got ${length}` })),
    );
    expect(await post(randomBytes(12_000_000))).toMatchObject({ status: 200, isWhole: true });
    const [download] = await once(get(`${board}download`, { agent: false }), 'response');
    const hash = download.headers['x-hash'];
    expect(hashOf(await buffer(download))).toBe(hash);

    const events = get(`${board}events`, { agent: false });
    onTestFinished(() => void events.destroy());
    const [stream] = await once(events, 'response');
    const late: number[] = [];
    for await (const chunk of stream.setEncoding('utf8')) {
      for (const [, time] of String(chunk).matchAll(/data: \d+ (\d+)/g)) late.push(Date.now() - Number(time));
      if (late.length > 10) break;
    }
    // One at a time, and not with the end of the response, which does not come.
    expect(Math.max(...late)).toBeLessThan(5_000);
    await interrupt(running);
  });

  test('HTTP/2 without TLS, as of gRPC, from another pod', async () => {
    const server = join(checkout.root, 'h2c.mjs');
    await writeFile(
      server,
      `import { createServer } from 'node:http2';
const server = createServer((request, response) => response.end(request.httpVersion + ' ' + request.url));
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit());`,
    );
    const running = await intercept(checkout, node, server);
    const call = `
import { connect } from 'node:http2';
const session = connect('http://${service}:8000');
const stream = session.request({ ':path': '/rpc' });
for await (const chunk of stream) console.log(String(chunk));
session.close();`;
    expect(await runIn('frontend', call)).toBe('2.0 /rpc');
    await interrupt(running);
  });

  test('plain TCP, each direction of which ends by itself, from another pod', async () => {
    const server = join(checkout.root, 'tcp.mjs');
    await writeFile(
      server,
      `import { createServer } from 'node:net';
const server = createServer({ allowHalfOpen: true }, (socket) => {
  let received = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => { received += chunk; });
  socket.on('end', () => setTimeout(() => socket.end('got ' + received), 2_000));
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit());`,
    );
    const running = await intercept(checkout, node, server);
    const call = `
import { connect } from 'node:net';
const socket = connect({ host: '${service}', port: 8000, allowHalfOpen: true });
socket.end('\\x01all of it');
for await (const chunk of socket) console.log(String(chunk));`;
    expect(await runIn('frontend', call)).toBe('got \u0001all of it');
    await interrupt(running);
  });

  test('the network policies are those of the service', async () => {
    const running = await intercept(checkout, node, file);
    const call = `
const response = await fetch('http://${service}:8000/x', { signal: AbortSignal.timeout(3_000) }).catch(() => undefined);
console.log(response ? await response.text() : 'no response');`;
    expect(await runIn('frontend', call)).toBe('program got 0');
    expect(await runIn('chat-service', call)).toBe('no response');
    await interrupt(running);
  });
});

describe('a page under development', () => {
  test('a save is in the open page, by its WebSocket through the ingress', async () => {
    const program = await findChromium();
    if (program === undefined) throw new Error('there is no Chromium on PATH or in $CHROMIUM');
    const server = join(checkout.root, 'page.mjs');
    const text = join(checkout.root, 'page.txt');
    await writeFile(text, 'before');
    await writeFile(
      server,
      `import { readFileSync, watchFile } from 'node:fs';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
const page = '<p id=text></p><script>' +
  'const socket = new WebSocket("ws://" + location.host + "/hmr", "vite-hmr");' +
  'socket.onmessage = ({ data }) => { document.getElementById("text").textContent = data; };' +
  '</script>';
const server = createServer((request, response) => response.setHeader('content-type', 'text/html').end(page));
const sockets = new WebSocketServer({ server, path: '/hmr' });
const read = () => readFileSync('${text}', 'utf8');
sockets.on('connection', (socket) => socket.send(read()));
watchFile('${text}', { interval: 50 }, () => sockets.clients.forEach((each) => each.send(read())));
server.listen(Number(process.env.VITE_PORT ?? process.argv[2]), '127.0.0.1');
process.on('SIGTERM', () => process.exit());`,
    );
    const port = '5179';
    const running = checkout.start('intercept', 'frontend', '--port', port, '--', node, server, port);
    onTestFinished(() => running.kill());
    await running.said('frontend is served by 127.0.0.1:');
    const browser = await launchChromium(program);
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    await page.goto(origin);
    await page.getByText('before').waitFor({ timeout: 20_000 });
    await writeFile(text, 'after');
    await page.getByText('after').waitFor({ timeout: 20_000 });
    await page.close();
    await interrupt(running);
    expect((await request(origin)).body).not.toContain('vite-hmr');
  });
});

describe('several at once', () => {
  test('from two checkouts of one owner, and a second one of the same service is refused', async () => {
    // As a git worktree of the same clone, which uses the state of the first one.
    const folder = join(checkout.folder, 'worktree');
    await copyCheckout(join(folder, 'checkout'));
    await symlink(join(checkout.root, 'node_modules'), join(folder, 'checkout/node_modules'));
    const other = openCheckout(
      { folder, name: checkout.name },
      {
        WEALIST_STATE_DIR: join(checkout.root, '.wealist'),
        XDG_DATA_HOME: String(checkout.env.XDG_DATA_HOME),
      },
    );
    const [first, second] = await Promise.all([
      intercept(checkout, node, file),
      interceptAs(other, 'user-service', node, await writeProgram(other)),
    ]);
    expect((await request(`${board}x`)).body).toBe('program got 0');
    expect((await request(`${origin}svc/user/x`)).body).toBe('program got 0');
    const refused = await other.run('intercept', service, '--', node, file);
    expect(refused).toMatchObject({ exitCode: 10 });
    expect(refused.stderr).toMatch(/board-service is intercepted by PID \d+ \(.*program\.mjs\)/);
    await interrupt(first);
    expect((await request(`${origin}svc/user/x`)).body).toBe('program got 0');
    await interrupt(second);
    expect((await request(`${origin}svc/user/health/ready`)).body).toContain('ready');
  });
});

describe('what happens to the cluster under it', () => {
  test('its node restarts: requests come again by themselves', async () => {
    const running = await intercept(checkout, node, file);
    await docker('restart', '--time=1', nodeOf(checkout.name));
    const ask = async () => (await request(`${board}x`).catch(() => ({ body: '' }))).body;
    await expect.poll(ask, { timeout: 240_000, interval: 1_000 }).toBe('program got 0');
    await expect
      .poll(() => readPart(checkout), { timeout: 120_000 })
      .toMatchObject({
        intercepted: expect.stringContaining('program.mjs'),
      });
    await interrupt(running);
    expect(await readService(checkout)).toEqual({ mark: undefined, selector: ownSelector });
  });

  test('up --repair takes the service back, and the run ends with the reason', async () => {
    const running = await intercept(checkout, node, file);
    await checkout.up('--repair');
    const { exitCode, stderr } = await running.ended;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 5 });
    expect(stderr).toContain('board-service was given back by another command');
    await expect.poll(() => listTraces(checkout)).toEqual([]);
    expect((await request(`${board}health/ready`)).body).toContain('ready');
  });

  test('down and up: the new cluster has the service, and the run ends with the reason', async () => {
    const running = await intercept(checkout, node, file);
    const { exitCode } = await checkout.run('down');
    expect(exitCode).toBe(0);
    origin = (await checkout.up()).addresses[0]?.url ?? '';
    board = `${origin}svc/board/`;
    const ended = await running.ended;
    expect(ended).toMatchObject({ exitCode: 5 });
    expect(ended.stderr).toContain('board-service was given back by another command');
    expect(await readService(checkout)).toEqual({ mark: undefined, selector: ownSelector });
    expect((await request(`${board}health/ready`)).body).toContain('ready');
  });
});
