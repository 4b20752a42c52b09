import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { LogLine } from '../../src/logs/log-line.ts';
import type { Pod } from '../../src/tools/kubernetes/objects.ts';

/** What a container has written, run by run. */
interface Run {
  readonly lines: LogLine[];
  /** Of these, how many the node has rotated away. */
  rotated: number;
  hasEnded: boolean;
}

export type ApiServerFake = Awaited<ReturnType<typeof startApiServer>>;

/** An API server in memory: pods, their logs, and connections to their ports; with watches and logs that go on. */
export async function startApiServer() {
  const pods = new Map<string, Pod>();
  const runs = new Map<string, Run[]>();
  /** Ports on 127.0.0.1 that stand for a pod's. */
  const ports = new Map<string, number>();
  const watches = new Set<ServerResponse>();
  /** Called when a log was written to or ended. */
  const readers = new Set<() => void>();
  const asked: string[] = [];
  /** Every change there was: a watch begins after the one it names. */
  const changes: string[] = [];
  let isDown = false;
  let isStuck = false;

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://api');
    asked.push(request.url ?? '');
    const [, log] = /^\/api\/v1\/namespaces\/[^/]+\/pods\/([^/]+)\/log$/.exec(pathname) ?? [];
    if (isDown) request.socket.destroy();
    else if (log !== undefined) sendLog(log, searchParams, request, response);
    else if (searchParams.has('watch')) sendChanges(Number(searchParams.get('resourceVersion')), response);
    else if (!pathname.endsWith('/pods')) sendPod(pathname.split('/').at(-1) ?? '', response);
    else
      sendJson(response, 200, {
        metadata: { resourceVersion: String(changes.length) },
        items: [...pods.values()],
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });

  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://api');
    const [, pod = ''] = /\/pods\/([^/]+)\/portforward$/.exec(pathname) ?? [];
    asked.push(request.url ?? '');
    if (isDown) socket.destroy();
    else if (!pods.has(pod)) {
      const body = JSON.stringify({ kind: 'Status', message: `pods "${pod}" not found` });
      socket.end(`HTTP/1.1 404 Not Found\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    } else
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        forward(webSocket, pod, Number(searchParams.get('ports')));
      });
  });

  function sendPod(name: string, response: ServerResponse): void {
    const pod = pods.get(name);
    if (pod) sendJson(response, 200, pod);
    else sendStatus(response, 404, `pods "${name}" not found`);
  }

  function sendChanges(from: number, response: ServerResponse): void {
    watches.add(response.writeHead(200));
    response.flushHeaders();
    for (const change of changes.slice(from)) response.write(change);
    response.on('close', () => watches.delete(response));
  }

  function tell(type: 'ADDED' | 'MODIFIED' | 'DELETED', pod: Pod): void {
    const change = `${JSON.stringify({ type, object: pod })}\n`;
    changes.push(change);
    for (const watch of watches) watch.write(change);
  }

  function sendLog(
    pod: string,
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const all = runs.get(`${pod}/${query.get('container')}`);
    const run = all?.at(query.has('previous') ? -2 : -1);
    if (!run || !pods.has(pod)) {
      if (pods.has(pod)) sendStatus(response, 400, 'container is waiting to start');
      else sendStatus(response, 404, `pods "${pod}" not found`);
      return;
    }
    // To the second, as the node compares.
    const since = query.get('sinceTime')?.slice(0, 19) ?? '';
    const tail = query.get('tailLines');
    const isWanted = ({ time }: LogLine) => time.slice(0, 19) >= since;
    const before = run.lines.slice(run.rotated).filter(isWanted);
    let at = run.lines.length;
    response.writeHead(200);
    response.flushHeaders();
    for (const line of tail === null ? before : before.slice(before.length - Number(tail))) write(line);
    if (!query.has('follow') || run.hasEnded) {
      response.end();
      return;
    }
    readers.add(goOn);
    request.socket.on('close', () => readers.delete(goOn));

    function goOn(): void {
      if (isStuck) return;
      for (const line of run?.lines.slice(at).filter(isWanted) ?? []) write(line);
      at = run?.lines.length ?? at;
      if (!run?.hasEnded) return;
      readers.delete(goOn);
      response.end();
    }
    function write({ time, text }: LogLine): void {
      response.write(`${time} ${text}\n`);
    }
  }

  /** Two channels for the one port, data and error, each of which begins with the port's number. */
  function forward(webSocket: WebSocket, pod: string, port: number): void {
    const number = Buffer.from([port % 256, port >> 8]);
    const send = (channel: number, data: Buffer) =>
      webSocket.send(Buffer.concat([Buffer.from([channel]), data]));
    const target = connect(ports.get(pod) ?? 1, '127.0.0.1');
    send(0, number);
    send(1, number);
    target.on('data', (data: Buffer) => send(0, data));
    target.on('error', () => {
      send(
        1,
        Buffer.from(`error forwarding port ${port} to pod: failed to connect to localhost:${port}: refused`),
      );
    });
    target.on('close', () => webSocket.close());
    webSocket.on('message', (data: Buffer) => target.write(data.subarray(1)));
    webSocket.on('close', () => target.destroy());
    // As when the node takes a pod away.
    const gone = setInterval(() => {
      if (!pods.has(pod)) target.destroy();
    }, 5);
    webSocket.on('close', () => clearInterval(gone));
  }

  const runsOf = (pod: string, container: string) => {
    const key = `${pod}/${container}`;
    const list = runs.get(key) ?? [];
    runs.set(key, list);
    return list;
  };

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** The paths that were asked for. */
    asked,
    ports,
    setPod(pod: Pod): void {
      const type = pods.has(pod.metadata.name) ? 'MODIFIED' : 'ADDED';
      pods.set(pod.metadata.name, pod);
      tell(type, pod);
    },
    removePod(name: string): void {
      const pod = pods.get(name);
      pods.delete(name);
      if (pod) tell('DELETED', pod);
    },
    /** The container runs from now on, with an empty log. */
    startRun: (pod: string, container: string) =>
      void runsOf(pod, container).push({ lines: [], rotated: 0, hasEnded: false }),
    writeLog(pod: string, container: string, ...lines: readonly LogLine[]): void {
      runsOf(pod, container)
        .at(-1)
        ?.lines.push(...lines);
      for (const read of [...readers]) read();
    },
    /** What was written so far is to be had no more, but for who is reading it. */
    rotateLog(pod: string, container: string): void {
      const run = runsOf(pod, container).at(-1);
      if (run) run.rotated = run.lines.length;
    },
    /** Only the newest run is left. */
    forgetRuns: (pod: string, container: string) =>
      void runsOf(pod, container).splice(0, runsOf(pod, container).length - 1),
    /** Logs that are followed say nothing more, although they go on. */
    setStuck(stuck: boolean): void {
      isStuck = stuck;
    },
    endRun(pod: string, container: string): void {
      const run = runsOf(pod, container).at(-1);
      if (run) run.hasEnded = true;
      for (const read of [...readers]) read();
    },
    /** Breaks all connections; while it is down, every new one, too. */
    setDown(down: boolean): void {
      isDown = down;
      if (down) server.closeAllConnections();
    },
  };
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function sendStatus(response: ServerResponse, status: number, message: string): void {
  sendJson(response, status, { kind: 'Status', message });
}
