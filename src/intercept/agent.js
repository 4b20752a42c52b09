/*
 * Runs in the cluster in place of an intercepted service, as `node --input-type=module --eval`. Each connection to the
 * service's port becomes one stream of an HTTP/2 session, whose other end is `tools/kubernetes/pod-tunnel.ts` on the
 * developer's machine. When that end is gone, the agent routes the Service to its own pods again.
 */
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import { request } from 'node:https';
import { createServer } from 'node:net';

const { PORT, TUNNEL_PORT, SERVICE, SERVICE_PATH, OWN_INSTANCE, HINT } = process.env;

/** Milliseconds for which callers wait for a lost session to be opened again. */
const reconnectTimeout = Number(process.env.RECONNECT_TIMEOUT ?? 2_000);
/** Milliseconds without a session after which the service is given back; longer after the start, and a node's restart. */
const giveBackDelay = 3_000;
const startDelay = 20_000;
/** Milliseconds between two pings, and without a pong until the session counts as lost. */
const pingInterval = 1_000;
const pingTimeout = 10_000;
/** Bytes that may be on their way, in one stream and in all. */
const streamWindow = 1 << 20;
const sessionWindow = 16 << 20;

const lost = `the connection to the machine on which ${SERVICE} is intercepted was lost\n${HINT}`;

let session;
let lostAt = Date.now();
let giveBackTimer = setTimeout(giveBack, startDelay);
const waiting = new Set();

// Only the pod's own loopback: it is reached by whoever may forward ports of this pod, and by no other pod.
createServer({ noDelay: true }, (socket) => {
  const opened = http2.connect('http://tunnel', {
    createConnection: () => socket,
    settings: { initialWindowSize: streamWindow, enablePush: false },
    peerMaxConcurrentStreams: 10_000,
    maxSessionMemory: 256,
  });
  // An error is followed by `close`.
  opened.on('error', () => {});
  // The other end speaks HTTP/2: a port forward alone may lead to a process that hangs.
  opened.once('remoteSettings', () => useSession(opened));
}).listen({ host: '127.0.0.1', port: Number(TUNNEL_PORT) });

createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, async (client) => {
  client.on('error', () => {});
  const current = session ?? (await waitForSession());
  if (client.destroyed) return;
  if (current) relay(client, current);
  else refuseNext(client, '503 Service Unavailable', lost);
}).listen(Number(PORT));

function useSession(opened) {
  const previous = session;
  session = opened;
  opened.setLocalWindowSize(sessionWindow);
  previous?.destroy();
  clearTimeout(giveBackTimer);
  for (const wake of [...waiting]) wake();
  log('connected');

  let heardAt = Date.now();
  const pings = setInterval(() => {
    if (Date.now() - heardAt > pingTimeout) return opened.destroy();
    opened.ping((error) => {
      if (!error) heardAt = Date.now();
    });
  }, pingInterval);
  opened.once('close', () => {
    clearInterval(pings);
    if (session !== opened) return;
    session = undefined;
    lostAt = Date.now();
    giveBackTimer = setTimeout(giveBack, giveBackDelay);
    log('disconnected');
  });
}

function waitForSession() {
  const remaining = lostAt + reconnectTimeout - Date.now();
  if (remaining <= 0) return undefined;
  return new Promise((resolve) => {
    const settle = () => {
      clearTimeout(timer);
      waiting.delete(settle);
      resolve(session);
    };
    const timer = setTimeout(settle, remaining);
    waiting.add(settle);
  });
}

/** Copies in both directions; each direction ends by itself. */
function relay(client, through) {
  const stream = through.request({ ':method': 'CONNECT', ':authority': `${SERVICE}:${PORT}` });
  let isHttp;
  let isAwaitingResponse = false;
  let isUpgraded = false;
  client.on('data', (chunk) => {
    isHttp ??= isRequest(chunk);
    isAwaitingResponse = true;
  });
  stream.on('data', (chunk) => {
    isAwaitingResponse = false;
    isUpgraded ||= chunk.subarray(0, 12).toString('latin1') === 'HTTP/1.1 101';
  });
  stream.on('error', () => {});
  stream.on('end', () => {
    const isLost = stream.rstCode !== 0 || through.closed || through.destroyed;
    if (!isLost) client.end();
  });
  stream.on('close', () => {
    if (client.destroyed || client.writableEnded) return;
    // A caller that waits for a response is told; whatever else was cut off must not look like a normal end.
    if (isHttp && isAwaitingResponse && !isUpgraded) refuse(client, '502 Bad Gateway', lost);
    else client.resetAndDestroy();
  });
  client.on('close', () => {
    // The other end is told of a reset; CANCEL would be taken for an end.
    if (client.errored) stream.destroy(client.errored);
    else stream.close(client.readableEnded ? 0 : http2.constants.NGHTTP2_CANCEL);
  });
  client.pipe(stream);
  stream.pipe(client, { end: false });
}

/** Whether these first bytes of a connection begin a request of HTTP/1. */
function isRequest(chunk) {
  return /^[A-Z-]+ [^\r\n]* HTTP\/1\.[01]\r?\n/.test(chunk.toString('latin1', 0, 65_536));
}

/** Closes a connection that no session carries: with the reason for HTTP/1, as soon as a request has come. */
function refuseNext(client, status, reason) {
  client.once('data', (chunk) => {
    if (isRequest(chunk)) refuse(client, status, reason);
    else client.resetAndDestroy();
  });
  client.on('end', () => client.end());
  client.resume();
  setTimeout(() => client.destroy(), 10_000).unref();
}

/** Responds to a request that has begun, and ends its connection: HTTP clients distrust a response that comes unasked. */
function refuse(client, status, reason) {
  const body = `${reason}\n`;
  const headers = [
    'content-type: text/plain; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'retry-after: 2',
    'connection: close',
  ];
  client.unpipe();
  client.end([`HTTP/1.1 ${status}`, ...headers, '', body].join('\r\n'));
  // Unread data would make the kernel reset the connection, which can overtake the response.
  client.resume();
  setTimeout(() => client.destroy(), 2_000).unref();
}

/** Routes the Service to its own pods; repeated until the API server has accepted it or a session is open again. */
function giveBack() {
  const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
  const retry = (reason) => {
    log(`not given back: ${reason}`);
    if (!session) giveBackTimer = setTimeout(giveBack, 1_000);
  };
  try {
    const sent = request(
      {
        host: process.env.KUBERNETES_SERVICE_HOST,
        port: process.env.KUBERNETES_SERVICE_PORT,
        path: SERVICE_PATH,
        method: 'PATCH',
        ca: readFileSync(`${folder}/ca.crt`),
        headers: {
          authorization: `Bearer ${readFileSync(`${folder}/token`, 'utf8')}`,
          'content-type': 'application/merge-patch+json',
        },
        timeout: 5_000,
      },
      (response) => {
        response.resume();
        if (response.statusCode === 200) log('given back');
        else retry(`status ${response.statusCode}`);
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('no response in 5 s')));
    sent.on('error', ({ message }) => retry(message));
    sent.end(JSON.stringify({ spec: { selector: { 'app.kubernetes.io/instance': OWN_INSTANCE } } }));
  } catch (error) {
    retry(error.message);
  }
}

function log(line) {
  process.stdout.write(`${line}\n`);
}

// Open connections end with the pod's grace period.
process.on('SIGTERM', () => setTimeout(() => process.exit(0), 1_000));
log(`agent of ${SERVICE}: port ${PORT}`);
