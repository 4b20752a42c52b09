import { get } from 'node:http';
import { json } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import { z } from 'zod';

const Targets = z.array(z.object({ webSocketDebuggerUrl: z.string() }));

/** Switches the inspector of a Node.js process off, which is reached at this port of 127.0.0.1, and ends its sessions. */
export async function closeInspector(port: number, signal: AbortSignal): Promise<void> {
  const targets = await new Promise<unknown>((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/json/list', signal, agent: false }, (response) => {
      json(response).then(resolve, reject);
    }).on('error', reject);
  });
  const [target] = Targets.parse(targets);
  if (!target) return;
  const { pathname } = new URL(target.webSocketDebuggerUrl);
  const socket = new WebSocket(`ws://127.0.0.1:${port}${pathname}`);
  const abort = () => socket.terminate();
  signal.addEventListener('abort', abort);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => socket.send(JSON.stringify(closing)));
      // The process ends this session, too.
      socket.once('close', () => resolve());
      socket.once('error', reject);
    });
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

const closing = {
  id: 1,
  method: 'Runtime.evaluate',
  params: { expression: "process.getBuiltinModule('inspector').close()" },
};
