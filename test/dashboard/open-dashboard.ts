import { resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { DashboardState } from '../../src/dashboard/dashboard-state.ts';
import type { Message, Request } from '../../src/dashboard/protocol.ts';
import { type Dashboard, type ServeOptions, serveDashboard } from '../../src/dashboard/serve.ts';
import { ready } from './recorded-state.ts';

const checkout = resolve(import.meta.dirname, '../..');

export const token = 'a-token-of-this-test';

export interface DashboardOptions extends Partial<ServeOptions> {
  readonly state?: DashboardState;
}

/** A page that only has files: bundling it takes a tenth of a second. */
const files = Promise.resolve(
  new Map([
    ['/', { type: 'text/html', body: Buffer.from('<!doctype html>') }],
    ['/main.js', { type: 'text/javascript', body: Buffer.from('"use strict"') }],
    ['/page.css', { type: 'text/css', body: Buffer.from('a{}') }],
    ['/icon.svg', { type: 'image/svg+xml', body: Buffer.from('<svg/>') }],
  ]),
);

/** A dashboard with a recorded state, on a port of its own, closed when the test has finished. */
export async function openDashboard(options: DashboardOptions = {}): Promise<Dashboard> {
  const dashboard = await serveDashboard({
    ...{ checkout, token, port: 21_000 + (process.pid % 20_000), tried: 500, state: ready },
    ...{ files, onRequest: () => {}, onCount: () => {} },
    ...options,
  });
  onTestFinished(() => dashboard.close());
  return dashboard;
}

export interface OpenTab {
  readonly socket: WebSocket;
  readonly messages: readonly Message[];
  send(request: Request): void;
  /** Resolves to the code with which the server closes the tab. */
  readonly closed: Promise<number>;
}

/** A tab as the page opens it; without a `hello` when `given` is undefined. */
export async function openTab(
  { port }: Pick<Dashboard, 'port'>,
  given: string | undefined = token,
  headers: Readonly<Record<string, string>> = {},
): Promise<OpenTab> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, {
    headers: { origin: `http://127.0.0.1:${port}`, ...headers },
  });
  onTestFinished(() => socket.terminate());
  const messages: Message[] = [];
  const closed = new Promise<number>((done) => socket.on('close', done));
  socket.on('message', (data) => messages.push(JSON.parse(String(data))));
  await new Promise<void>((done, fail) => {
    socket.on('open', done);
    socket.on('error', fail);
  });
  const send = (request: Request) => socket.send(JSON.stringify(request));
  if (given !== '') send({ type: 'hello', token: given });
  return { socket, messages, send, closed };
}
