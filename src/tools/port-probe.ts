import { connect, createServer } from 'node:net';

/** `denied`: this user may not bind it (below the low-port limit), and no server accepts connections there. */
export type PortState = 'free' | 'taken' | 'denied';

/** Whether a TCP port of this machine can be bound: binds it for an instant. */
export async function probePort(port: number, address = '127.0.0.1'): Promise<PortState> {
  const bound = await bind(port, address);
  if (bound === 'taken') return 'taken';
  // Some systems let an address be bound beside a listener on all addresses, and a firewall rule may listen unseen.
  return (await accepts(port, address)) ? 'taken' : bound;
}

function bind(port: number, host: string): Promise<PortState> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('taken');
      else if (error.code === 'EACCES' || error.code === 'EPERM') resolve('denied');
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve('free')));
  });
}

function accepts(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, timeout: 500 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}
