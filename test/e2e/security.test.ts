import { randomBytes } from 'node:crypto';
import { lstat, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { makeCanary } from './canary.ts';
import { openCheckout } from './checkout.ts';
import { docker, kubectl, nodeOf } from './cluster.ts';
import { runOrFail } from './kill-commands.ts';
import { listOpenListeners } from './listeners.ts';
import { makePrivateCache } from './private-cache.ts';
import { type Sighting, watchProcesses } from './process-watch.ts';
import { listFound, listWritableByOthers } from './reachable-files.ts';
import type { Running } from './running.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const shared = sharedCheckout();
const cacheHome = join(shared.folder, 'open-cache');
const checkout = openCheckout(shared, { XDG_CACHE_HOME: cacheHome });
const ownSecrets = join(checkout.root, 'helm/environments/local-kind-secrets.yaml');
/** In place of the generated ones, so that they are known before the first run. All but one have to fit into a URL. */
const secrets = {
  ...Object.fromEntries(
    [
      'DB_PASSWORD',
      'REDIS_PASSWORD',
      'S3_SECRET_KEY',
      'INTERNAL_API_KEY',
      'JWT_SECRET',
      'LIVEKIT_API_SECRET',
    ].map((key) => [key, `canary-${randomBytes(32).toString('hex')}`]),
  ),
  // With every character that some format escapes.
  GOOGLE_CLIENT_SECRET: 'canary/7f3a+"quoted"\\back é%=&?x',
};
const canary = makeCanary(secrets);

let listenersBefore: readonly string[];
let sightings: readonly Sighting[];
let processes = 0;
const outputs = new Map<string, string>();
const running: Running[] = [];
let umask = 0;

/** Runs a command and keeps what it prints. */
async function keepOutput(command: string, ...words: string[]): Promise<void> {
  const { stdout, stderr, exitCode } = await checkout.run(command, ...words);
  if (exitCode !== 0) throw new Error(`${command} ended with exit code ${exitCode}`);
  outputs.set([command, ...words].join(' '), `${stdout}\n${stderr}`);
}

async function writeOwnSecrets(secrets: Readonly<Record<string, string>>): Promise<void> {
  await writeFile(ownSecrets, JSON.stringify({ shared: { secrets } }), { mode: 0o600 });
}

beforeAll(async () => {
  // Nothing of the cluster listens then, and the data folder is made anew.
  await runOrFail(shared, 'down', '--delete-data', '--yes');
  listenersBefore = await listOpenListeners();
  await makePrivateCache(cacheHome);
  // What is written depends on the modes that the program gives, not on the user's umask.
  umask = process.umask(0);
  const watch = watchProcesses(canary);
  await writeOwnSecrets(secrets);
  await keepOutput('up', '--yes', '--verbose');
  // The changed value contains the one before.
  await writeOwnSecrets({ ...secrets, GOOGLE_CLIENT_SECRET: `${secrets.GOOGLE_CLIENT_SECRET} changed` });
  await keepOutput('up', '--yes', '--json');
  await keepOutput('reload', 'auth-service', '--json');
  await keepOutput('db', 'save', 'security', '--json');
  await keepOutput('db', 'restore', 'security', '--yes', '--json');
  await keepOutput('db', 'user-service', '--', '-Atqc', 'SELECT 1');
  running.push(checkout.start('forward', 'user-service', 'postgres'), checkout.start('logs'));
  for (const each of running) await each.said(each === running[0] ? 'open until Ctrl-C' : 'listening');
  for (const words of [
    ...[
      ['status', '--json'],
      ['status'],
      ['doctor', '--json'],
      ['env', 'show', 'local-kind'],
      ['images', '--json'],
    ],
    ...[
      ['plan', '--json'],
      ['plan', '--env', 'staging', '--json'],
      ['plan', '--env', 'prod'],
    ],
    ...[
      ['db', '--list', '--json'],
      ['logs', '--no-follow'],
      ['why', '--json'],
    ],
    ...[
      ['plan', '--out', join(checkout.folder, 'out')],
      ['plan', '--out', join(checkout.folder, 'out-secret'), '--secrets'],
    ],
  ] as [string, ...string[]][]) {
    await keepOutput(...words);
  }
  ({ sightings, seen: processes } = await watch.stop());
});

afterAll(async () => {
  for (const each of running) await each.kill();
  process.umask(umask);
  // The data were made with the secrets of this scenario.
  await checkout.run('down', '--delete-data', '--yes');
  await rm(ownSecrets, { force: true });
  await rm(cacheHome, { recursive: true, force: true });
});

describe('who may connect', () => {
  test('nothing listens on an address beyond this machine that did not before', async () => {
    // The forwards are open, too.
    expect(await listOpenListeners()).toEqual(listenersBefore);
    const [ports = ''] = await docker(
      'inspect',
      '--format={{json .NetworkSettings.Ports}}',
      nodeOf(checkout.name),
    );
    const bindings = Object.values(JSON.parse(ports)).flat() as { HostIp: string }[];
    expect(bindings.length).toBeGreaterThan(2);
    expect(bindings.filter(({ HostIp }) => HostIp !== '127.0.0.1')).toEqual([]);
  });
});

describe('secrets are not in', () => {
  test('the arguments of any process, and the environment of any outside of containers', () => {
    process.stderr.write(`${processes} processes were read\n`);
    expect(processes).toBeGreaterThan(500);
    expect(sightings).toEqual([]);
  });

  test('what the commands print', () => {
    expect(outputs.size).toBeGreaterThan(15);
    for (const [command, output] of outputs) expect(canary.findIn(output), command).toBeUndefined();
  });

  test('docker inspect and the log of the node', async () => {
    const node = nodeOf(checkout.name);
    for (const args of [
      ['inspect', node],
      ['logs', node],
    ]) {
      expect(canary.findIn((await docker(...args)).join('\n')), args[0]).toBeUndefined();
    }
  });

  test('any object of the cluster but Secrets', async () => {
    const { stdout: kinds } = await kubectl(checkout, 'api-resources', '--verbs=list', '--output=name');
    const names = kinds
      .split('\n')
      .filter((kind) => kind !== '' && kind !== 'secrets' && !kind.startsWith('events'));
    for (const kind of names) {
      const { stdout } = await kubectl(checkout, 'get', kind, '--all-namespaces', '--output=json');
      expect(canary.findIn(stdout), kind).toBeUndefined();
    }
    expect(names.length).toBeGreaterThan(30);
    const { stdout: secrets } = await kubectl(
      checkout,
      'get',
      'secrets',
      '--all-namespaces',
      '--output=json',
    );
    // They are where they belong, in base64, so that the search above can find them.
    expect(canary.findIn(secrets)).toBeDefined();
  });

  test('the rendering of staging and prod, whose Secret is made outside the charts', async () => {
    for (const name of ['staging', 'prod']) {
      const folder = join(checkout.folder, `out-${name}`);
      await runOrFail(checkout, 'plan', '--env', name, '--out', folder, '--secrets');
      const files = await readdir(folder);
      expect(files.length).toBeGreaterThan(7);
      for (const file of files) {
        const text = await readFile(join(folder, file), 'utf8');
        expect(canary.findIn(text), file).toBeUndefined();
        expect(text, file).not.toMatch(/^kind: "?Secret"?$/m);
      }
    }
  });

  test('files that another user can read: state, data, cache, checkout, manifests', async () => {
    const roots = [
      checkout.root,
      checkout.data,
      join(checkout.folder, 'out'),
      join(checkout.folder, 'out-secret'),
    ];
    const found = (await Promise.all(roots.map((root) => listFound(root)))).flat();
    // Volumes belong to the data stores, and the folder above them lets nobody else in.
    const files = found.filter(
      ({ path, isFile }) => isFile && !path.startsWith(join(checkout.data, 'volumes')),
    );
    const holders: string[] = [];
    for (const { path, mode } of files) {
      if (canary.findIn(await readFile(path, 'latin1')) === undefined) continue;
      holders.push(path.slice(checkout.folder.length + 1));
      expect({ path, mode: mode.toString(8) }).toEqual({ path, mode: '600' });
    }
    expect(holders.toSorted()).toEqual([
      'checkout/.wealist/secrets/local-kind.yaml',
      'checkout/helm/environments/local-kind-secrets.yaml',
      // With --secrets: the addresses of the databases, which hold the password.
      ...['board', 'chat', 'noti', 'storage', 'user', 'video'].map(
        (name) => `out-secret/${name}-service.yaml`,
      ),
      'out-secret/wealist-infrastructure.yaml',
    ]);
    const { mode } = await lstat(join(checkout.data, 'secrets.yaml'));
    expect((mode & 0o777).toString(8)).toBe('600');
    // Of the cache only what is no image or program, which are made from sources.
    for (const part of ['locks', 'ports', 'used', 'work']) {
      for (const { path, isFile } of await listFound(join(cacheHome, 'wealist-local', part))) {
        if (isFile) expect(canary.findIn(await readFile(path, 'latin1')), path).toBeUndefined();
      }
    }
  });
});

describe('modes, whatever the umask is', () => {
  test('no other user can change anything that was written under umask 000', async () => {
    const folders = [join(checkout.root, '.wealist'), join(checkout.folder, 'data'), cacheHome];
    const writable = (await Promise.all(folders.map(listWritableByOthers))).flat();
    expect(writable).toEqual([]);
  });

  test('no other user can enter the state and the data', async () => {
    for (const folder of [join(checkout.root, '.wealist'), checkout.data]) {
      const { mode } = await lstat(folder);
      expect({ folder, mode: (mode & 0o777).toString(8) }).toEqual({ folder, mode: '700' });
    }
  });

  test('under umask 077 the cluster is made, reloaded and saved as well', async () => {
    process.umask(0o077);
    try {
      await runOrFail(checkout, 'down', '--delete-data', '--yes');
      await runOrFail(checkout, 'up', '--yes');
      await checkout.edit('services/auth-service/service.ts', (text) => `${text}\n// under umask 077\n`);
      await runOrFail(checkout, 'reload', 'auth-service');
      await runOrFail(checkout, 'db', 'save', 'closed');
      expect(await checkout.run('status', '--exit-code')).toMatchObject({ exitCode: 0 });
    } finally {
      process.umask(0);
    }
  });
});
