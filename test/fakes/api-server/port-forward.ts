import type { IncomingMessage, Server } from 'node:http';
import { connect } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export interface PortForwardOptions {
  /** Ports on 127.0.0.1 that stand for the pods' ports, by pod. */
  readonly ports: ReadonlyMap<string, number>;
  readonly hasPod: (name: string) => boolean;
  /** Returns whether the request is accepted. */
  readonly onRequest: (request: IncomingMessage) => boolean;
}

/** Adds the `portforward` subresource of pods to a fake API server. Returns what ends all of its connections. */
export function addPortForward(server: Server, { ports, hasPod, onRequest }: PortForwardOptions): () => void {
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://api');
    const [, pod = ''] = /\/pods\/([^/]+)\/portforward$/.exec(pathname) ?? [];
    if (!onRequest(request)) socket.destroy();
    else if (!hasPod(pod)) {
      const body = JSON.stringify({ kind: 'Status', message: `pods "${pod}" not found` });
      socket.end(`HTTP/1.1 404 Not Found\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    } else
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        forward(webSocket, pod, Number(searchParams.get('ports')));
      });
  });

  return () => {
    for (const socket of sockets.clients) socket.terminate();
  };

  /** One port has two channels, data and error. Each begins with the port number. */
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
    // The kubelet closes the connections of a pod that it removes.
    const removal = setInterval(() => {
      if (!hasPod(pod)) target.destroy();
    }, 5);
    webSocket.on('close', () => clearInterval(removal));
  }
}
