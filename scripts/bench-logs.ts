// Measures `npm run logs` with a local stream: lines per second and memory. `npm run bench` runs it; to run it alone:
//   node --import tsx scripts/bench-logs.ts [--lines 500000] [--json]

import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { $, argv } from 'zx';
import { measurePeak } from './bench/peak.ts';

const lines = Number(argv.lines ?? 500_000);
/** A line as the stand-ins write it. */
const text = JSON.stringify({
  ...{ time: '2026-11-26T12:00:00.000Z', level: 'info', service: 'auth-service', message: 'request' },
  ...{ method: 'GET', path: '/api/auth/sessions/current', status: 200, milliseconds: 3 },
});

$.quiet = true;

// The server runs in its own process, so that its CPU time is not measured.
if (argv.serve) await serve();
else {
  const server = $`node --import tsx ${import.meta.filename} --serve --lines ${lines}`;
  const folder = await mkdtemp(join(tmpdir(), 'wealist-bench-'));
  try {
    let said = '';
    for await (const chunk of server.stdout) {
      said += chunk;
      if (said.endsWith('\n')) break;
    }
    await makeState(folder, said.trim());
    const rows = [
      await measure(folder, 'logs --no-follow', ['--no-follow']),
      await measure(folder, 'logs --no-follow --json', ['--no-follow', '--json']),
      await measure(folder, 'logs --no-follow --level warn', ['--no-follow', '--level', 'warn']),
      await measure(folder, 'logs (followed, kept in files)', ['--tail', String(lines)]),
    ];
    if (argv.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
    else
      for (const { what, linesPerSecond, linesPerCpuSecond, megabytes } of rows) {
        const cells = [`${linesPerSecond} lines/s`, `${linesPerCpuSecond} lines/CPU s`, `${megabytes} MB`];
        process.stdout.write(`${cells.map((cell) => cell.padStart(20)).join('')}  ${what}\n`);
      }
  } finally {
    await server.kill('SIGTERM').catch(() => {});
    await server.catch(() => {});
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the command until it has read all lines. Measures the peak memory and the total CPU time. */
async function measure(folder: string, what: string, words: readonly string[]) {
  const isFollowing = !words.includes('--no-follow');
  const begun = performance.now();
  const run = $({
    env: { ...process.env, WEALIST_STATE_DIR: folder },
  })`node src/bin.js logs auth-service ${words}`;
  let first = 0;
  let bytes = 0;
  let end = 0;
  let count = 0;
  const { peak, stop } = measurePeak(run.pid);
  for await (const chunk of run.stdout as AsyncIterable<Buffer>) {
    first ||= performance.now();
    end = performance.now();
    bytes += chunk.length;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) count++;
    if (isFollowing && count >= lines) break;
  }
  if (isFollowing) await run.kill('SIGTERM').catch(() => {});
  await run.catch(() => {});
  stop();
  // A run without output is timed from start to end.
  const seconds = (count > 0 ? end - first : performance.now() - begun) / 1000;
  if (count !== 0 && count !== lines) throw new Error(`${what}: ${count} of ${lines} lines, ${bytes} bytes`);
  return {
    ...{ what, lines, megabytes: peak.megabytes },
    linesPerSecond: Math.round(lines / seconds),
    linesPerCpuSecond: Math.round(lines / peak.cpuSeconds),
  };
}

/** Creates a state folder whose cluster is this server. */
async function makeState(folder: string, server: string): Promise<void> {
  const name = 'kind-wealist';
  const kubeconfig = {
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server } }],
    users: [{ name, user: {} }],
  };
  const record = { version: 1, name: 'wealist', httpPort: 80, httpsPort: 443, controller: 'traefik' };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig));
  await writeFile(join(folder, 'cluster.json'), JSON.stringify(record));
}

/** An API server with one pod, whose log is sent as fast as the client reads. */
async function serve(): Promise<void> {
  const status = {
    ...{ name: 'auth-service', ready: true, restartCount: 0, image: '', imageID: '' },
    ...{ containerID: 'containerd://1', state: { running: { startedAt: '' } } },
  };
  const pod = {
    metadata: {
      ...{ name: 'auth-service-1', uid: '1', namespace: 'wealist-kind-local', creationTimestamp: '' },
      labels: { 'app.kubernetes.io/part-of': 'wealist', 'app.kubernetes.io/name': 'auth-service' },
    },
    spec: { containers: [{ name: 'auth-service', image: '' }] },
    status: { containerStatuses: [status] },
  };
  const perBlock = 1_000;
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://api');
    if (!pathname.endsWith('/log')) {
      if (searchParams.has('watch')) return void response.writeHead(200).flushHeaders();
      const list = { metadata: { resourceVersion: '1' }, items: [pod] };
      return void response.end(JSON.stringify(pathname.endsWith('/pods') ? list : pod));
    }
    if (searchParams.has('follow')) return void response.writeHead(200).flushHeaders();
    for (let sent = 0; sent < lines; sent += perBlock) {
      const block = Array.from({ length: perBlock }, (_, at) => `${toTime(sent + at)} ${text}\n`).join('');
      if (!response.write(block)) await once(response, 'drain');
    }
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
}

/** The time of a line, at 100,000 lines per second. */
function toTime(line: number): string {
  const milliseconds = Date.parse('2026-11-26T12:00:00Z') + line / 100;
  return new Date(milliseconds)
    .toISOString()
    .replace('Z', `${String((line % 100) * 10_000).padStart(6, '0')}Z`);
}
