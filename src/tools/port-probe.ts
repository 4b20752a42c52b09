import { connect, createServer } from 'node:net';

/** `denied`: this user may not bind it (below the low-port limit), and no server accepts connections there. */
export type PortState = 'free' | 'taken' | 'denied';

/** What `localhost` means to a browser, which tries both: a program on either one gets its requests. */
const loopbacks = ['127.0.0.1', '::1'];

/** Whether a TCP port of this machine can be bound on both loopback addresses: binds it for an instant. */
export async function probePort(port: number): Promise<PortState> {
  const states = await Promise.all(loopbacks.map((address) => probeAddress(port, address)));
  return states.find((state) => state === 'taken') ?? states.find((state) => state === 'denied') ?? 'free';
}

/** Whether a program accepts connections on a port of `::1`, which a browser may prefer to 127.0.0.1. */
export function isServedOnIpv6(port: number): Promise<boolean> {
  return accepts(port, '::1');
}

async function probeAddress(port: number, address: string): Promise<PortState> {
  const bound = await bind(port, address);
  if (bound === 'taken') return 'taken';
  // Some systems let an address be bound beside a listener on all addresses, and a firewall rule may listen unseen.
  return (await accepts(port, address)) ? 'taken' : bound;
}

/** A machine without IPv6 lacks the address; then no program can listen on it either. */
const absentAddress = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

function bind(port: number, host: string): Promise<PortState> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('taken');
      else if (error.code === 'EACCES' || error.code === 'EPERM') resolve('denied');
      else if (absentAddress.has(error.code ?? '')) resolve('free');
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
