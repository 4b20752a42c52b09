import { once } from 'node:events';
import { WebSocket } from 'ws';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
}

/** A client of Node's inspector, as IDEs are: https://chromedevtools.github.io/devtools-protocol/ */
export async function connectInspector(address: string) {
  const response = await fetch(`http://${address}/json/list`);
  const [target] = (await response.json()) as readonly [{ readonly webSocketDebuggerUrl: string }];
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await once(socket, 'open');
  const received: Message[] = [];
  const listeners = new Set<() => void>();
  socket.on('message', (data) => {
    received.push(JSON.parse(String(data)));
    for (const each of [...listeners]) each();
  });

  function find(isWanted: (message: Message) => boolean, timeout = 20_000): Promise<Message> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(new Error('no such message'))), timeout);
      const look = () => {
        const at = received.findIndex(isWanted);
        const [found] = at === -1 ? [] : received.splice(at, 1);
        if (found) settle(() => resolve(found));
      };
      const settle = (end: () => void) => {
        clearTimeout(timer);
        listeners.delete(look);
        end();
      };
      listeners.add(look);
      look();
    });
  }

  let last = 0;
  return {
    async send(method: string, params: object = {}) {
      const id = ++last;
      socket.send(JSON.stringify({ id, method, params }));
      return (await find((message) => message.id === id)).result ?? {};
    },
    /** The parameters of the next such event. */
    async next(
      method: string,
      isWanted: (params: Readonly<Record<string, unknown>>) => boolean = () => true,
    ) {
      return (
        (await find((message) => message.method === method && isWanted(message.params ?? {}))).params ?? {}
      );
    },
    close: () => socket.close(),
  };
}

/** Sets a breakpoint at the first place of this text in the program's bundle. Resolves to its line, from 0. */
export async function setBreakpoint(
  client: Awaited<ReturnType<typeof connectInspector>>,
  { script, text }: { readonly script: string; readonly text: string },
): Promise<number> {
  await client.send('Debugger.enable');
  const found = await client.next('Debugger.scriptParsed', ({ url }) => String(url).endsWith(script));
  const { scriptSource } = await client.send('Debugger.getScriptSource', { scriptId: found.scriptId });
  const lines = String(scriptSource).split('\n');
  const lineNumber = lines.findIndex((line) => line.includes(text));
  if (lineNumber === -1) throw new Error(`${script} does not contain ${text}`);
  const columnNumber = lines[lineNumber]?.indexOf(text);
  await client.send('Debugger.setBreakpoint', {
    location: { scriptId: found.scriptId, lineNumber, columnNumber },
  });
  return lineNumber;
}
