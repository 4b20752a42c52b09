import type { WebSocket } from 'ws';
import { scrubSecrets } from '../lib/secret-values.ts';
import type { DashboardState } from './dashboard-state.ts';
import { applyChanges, toChanges } from './patch.ts';
import { type Message, type Request, wrongToken } from './protocol.ts';
import { parseRequest } from './request-rules.ts';
import { isToken } from './token.ts';

/** An open tab whose token was right. */
export interface Tab {
  /** Everything goes through here, without secrets. */
  send(message: Message): void;
  /** Aborted when the tab is closed. */
  readonly closed: AbortSignal;
  /** Bytes that the tab has not taken yet. */
  readonly waiting: number;
}

export interface TabsOptions {
  readonly token: string;
  readonly version: Promise<string>;
  readonly state: DashboardState;
  readonly onRequest: (tab: Tab, request: Request) => void;
  /** Called with the number of open tabs, whenever it changes. */
  readonly onCount: (count: number) => void;
  /** Bytes that may wait for a slow tab; beyond that it gets no patches, but the whole state once it has caught up. */
  readonly maxWaiting?: number;
  /** Milliseconds in which a tab must send its token. */
  readonly helloTimeout?: number;
}

/** All open tabs, and the state that they show. */
export interface Tabs {
  accept(socket: WebSocket): void;
  /** Changes the state; all changes of one turn of the event loop are sent together. */
  update(change: (state: DashboardState) => DashboardState): void;
  readonly state: DashboardState;
  close(): void;
}

interface OpenTab {
  readonly tab: Tab;
  /** Number of the last snapshot or patch. */
  number: number;
  /** Patches that were not sent. */
  skipped: number;
}

/** Milliseconds between two looks at whether a slow tab has caught up. */
const catchUpInterval = 50;

export function createTabs(options: TabsOptions): Tabs {
  const { token, version, onRequest, onCount, maxWaiting = 1024 * 1024, helloTimeout = 5_000 } = options;
  const open = new Map<WebSocket, OpenTab>();
  let state = options.state;
  let sent = state;
  let isScheduled = false;

  function flush(): void {
    isScheduled = false;
    const changes = toChanges(sent, state);
    // What tabs have is what JSON keeps of it.
    sent = applyChanges(sent, changes);
    if (changes.length === 0) return;
    for (const each of open.values()) {
      if (each.skipped > 0 || each.tab.waiting > maxWaiting) skip(each);
      else each.tab.send({ type: 'patch', number: ++each.number, changes });
    }
  }

  function skip(each: OpenTab): void {
    each.skipped++;
    if (each.skipped > 1) return;
    const timer = setInterval(() => {
      if (each.tab.waiting > 0 && !each.tab.closed.aborted) return;
      clearInterval(timer);
      if (!each.tab.closed.aborted) sendState(each);
    }, catchUpInterval);
  }

  function sendState(each: OpenTab): void {
    const { skipped } = each;
    each.skipped = 0;
    each.tab.send({ type: 'snapshot', number: ++each.number, state: sent, skipped });
  }

  function accept(socket: WebSocket): void {
    const gone = new AbortController();
    const timer = setTimeout(() => socket.close(wrongToken, 'no token'), helloTimeout);
    const tab: Tab = {
      closed: gone.signal,
      get waiting() {
        return socket.bufferedAmount;
      },
      send(message) {
        if (socket.readyState === socket.OPEN) socket.send(scrubSecrets(JSON.stringify(message)));
      },
    };

    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      clearTimeout(timer);
      gone.abort();
      if (open.delete(socket)) onCount(open.size);
    });
    socket.on('message', (data, isBinary) => {
      const request = isBinary ? undefined : parseRequest(String(data));
      const known = open.get(socket);
      if (known && request) {
        if (request.type === 'resync') sendState(known);
        else onRequest(tab, request);
      } else if (request?.type === 'hello' && isToken(token, request.token)) {
        clearTimeout(timer);
        // Without a page there is no version, and the dashboard ends with the reason.
        welcome(socket, tab).catch(() => socket.terminate());
      } else {
        socket.close(known ? 1003 : wrongToken, known ? 'not understood' : 'wrong token');
      }
    });
  }

  async function welcome(socket: WebSocket, tab: Tab): Promise<void> {
    tab.send({ type: 'welcome', version: await version });
    if (tab.closed.aborted) return;
    const each: OpenTab = { tab, number: 0, skipped: 0 };
    open.set(socket, each);
    flush();
    sendState(each);
    onCount(open.size);
  }

  return {
    accept,
    update(change) {
      state = change(state);
      if (isScheduled || state === sent) return;
      isScheduled = true;
      setImmediate(flush);
    },
    get state() {
      return state;
    },
    close() {
      for (const socket of open.keys()) socket.close(1001, 'ended');
    },
  };
}
