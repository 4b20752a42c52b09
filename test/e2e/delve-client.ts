import { once } from 'node:events';
import { connect } from 'node:net';

/** A client of Delve's JSON-RPC, as IDEs are: https://github.com/go-delve/delve/tree/master/Documentation/api */
export async function connectDelve(port: number) {
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  let rest = '';
  socket.on('data', (data) => {
    const lines = (rest + data).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { id, result, error } = JSON.parse(line);
      if (error) waiting.get(id)?.reject(new Error(String(error)));
      else waiting.get(id)?.resolve(result);
    }
  });
  let last = 0;
  return {
    send<T>(method: string, params: object): Promise<T> {
      const id = ++last;
      socket.write(`${JSON.stringify({ method: `RPCServer.${method}`, params: [params], id })}\n`);
      return new Promise((resolve, reject) =>
        waiting.set(id, { resolve: resolve as (result: unknown) => void, reject }),
      );
    },
    close: () => socket.end(),
  };
}
