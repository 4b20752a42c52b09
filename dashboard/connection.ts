import { applyChanges } from '../src/dashboard/patch.ts';
import type { Action, Message, Question, Request } from '../src/dashboard/protocol.ts';
import { connection, skippedPatches, state } from './store.ts';

type Answer = Extract<Message, { type: 'answer' }>;
type LogMessage = Extract<Message, { type: 'lines' | 'lines-end' }>;

/** Milliseconds between two attempts to reach a program that has ended. */
const retryDelay = 1_000;
const wrongToken = 4401;
const tokenKey = 'wealist-dashboard-token';

const waiting = new Map<string, (answer: Answer) => void>();
const logReaders = new Map<string, (message: LogMessage) => void>();
/** Called when the connection is open again: a log must be asked for again. */
const onOpen = new Set<() => void>();

let socket: WebSocket | undefined;
let number = 0;
let lastId = 0;

/** The token of the address that this tab was opened with, which it then no longer shows. */
function takeToken(): string | undefined {
  const given = /^#token=([\w-]+)$/.exec(location.hash)?.[1];
  if (given !== undefined) {
    sessionStorage.setItem(tokenKey, given);
    history.replaceState(history.state, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(tokenKey) ?? undefined;
}

/** This page's address with the token, for another tab of this machine. */
export function toLink(): string {
  return `${location.origin}${location.pathname}${location.search}#token=${sessionStorage.getItem(tokenKey) ?? ''}`;
}

/** Opens the WebSocket, and opens it again whenever it was closed. */
export function connect(): void {
  const token = takeToken();
  if (token === undefined) {
    connection.value = 'no-token';
    return;
  }
  const opened = new WebSocket(`ws://${location.host}/socket`);
  socket = opened;
  opened.addEventListener('open', () =>
    opened.send(JSON.stringify({ type: 'hello', token } satisfies Request)),
  );
  opened.addEventListener('message', ({ data }) => receive(JSON.parse(String(data)) as Message));
  opened.addEventListener('close', ({ code }) => {
    failWaiting();
    if (connection.value === 'other-version') return;
    if (code === wrongToken) {
      sessionStorage.removeItem(tokenKey);
      connection.value = 'no-token';
      return;
    }
    connection.value = 'ended';
    setTimeout(connect, retryDelay);
  });
}

function failWaiting(): void {
  const error = { message: 'the dashboard has ended', fix: 'npm run dashboard' };
  for (const [id, answer] of waiting) answer({ type: 'answer', id, exitCode: 1, error });
  waiting.clear();
}

function receive(message: Message): void {
  switch (message.type) {
    case 'welcome': {
      const own = document.querySelector('meta[name=version]')?.getAttribute('content');
      if (message.version === own) return;
      connection.value = 'other-version';
      socket?.close();
      return;
    }
    case 'snapshot':
      number = message.number;
      state.value = message.state;
      skippedPatches.value += message.skipped;
      if (connection.value !== 'open') {
        connection.value = 'open';
        for (const each of onOpen) each();
      }
      return;
    case 'patch':
      // A number is missing: the whole state follows, and patches until then are included in it.
      if (message.number !== number + 1) {
        send({ type: 'resync' });
        return;
      }
      number = message.number;
      if (state.value) state.value = applyChanges(state.value, message.changes);
      return;
    case 'answer':
      waiting.get(message.id)?.(message);
      waiting.delete(message.id);
      return;
    default:
      logReaders.get(message.id)?.(message);
  }
}

export function send(request: Request): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(request));
}

function nextId(): string {
  lastId++;
  return `${lastId}`;
}

/** Starts a command. Resolves when it has ended: it is done if its exit code is 0. */
export function start(action: Action): Promise<Answer> {
  return request((id) => ({ type: 'start', id, ...action }));
}

export function ask(what: Question): Promise<Answer> {
  return request((id) => ({ type: 'ask', id, what }));
}

export function setForward(target: string, open: boolean): Promise<Answer> {
  return request((id) => ({ type: 'forward', id, target, open }));
}

function request(toRequest: (id: string) => Request): Promise<Answer> {
  const id = nextId();
  if (connection.value !== 'open') {
    const error = { message: 'the dashboard does not respond', fix: 'npm run dashboard' };
    return Promise.resolve({ type: 'answer', id, exitCode: 1, error });
  }
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    send(toRequest(id));
  });
}

/** Reads a log until the returned function is called; asks again whenever the connection was lost. */
export function readLog(
  toQuery: () => Omit<Extract<Request, { type: 'logs' }>, 'type' | 'id'>,
  onMessage: (message: LogMessage) => void,
): { readonly credit: (lines: number) => void; readonly end: () => void } {
  let id = '';
  const open = () => {
    logReaders.delete(id);
    id = nextId();
    logReaders.set(id, onMessage);
    send({ type: 'logs', id, ...toQuery() });
  };
  onOpen.add(open);
  if (connection.value === 'open') open();
  return {
    credit: (lines) => send({ type: 'credit', id, lines }),
    end() {
      onOpen.delete(open);
      logReaders.delete(id);
      send({ type: 'end-logs', id });
    },
  };
}
