import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Change } from '../../src/machine/changes/change.ts';
import { listReplaced, mergeSettings } from '../../src/machine/changes/daemon-settings.ts';
import { finishPackages } from '../../src/machine/changes/finish-packages.ts';
import { createRoot } from '../../src/machine/changes/root.ts';
import { collectChanges, describeChanges, planChanges } from '../../src/machine/changes.ts';
import { type Engine, getEngine } from '../../src/machine/engine.ts';
import { EngineFailure } from '../../src/machine/engine-failure.ts';
import { createSystemRecord } from '../../src/machine/system-record.ts';
import type { Run } from '../../src/plan/plan.ts';
import type { Paths } from '../../src/state/paths.ts';
import { createDocker } from '../../src/tools/docker/docker.ts';
import { docker, dockerRoutes, type Routes, sendJson, startEngine } from '../fakes/engine.ts';
import { debian, type FakeHost, type FakeHostOptions, granted, makeHost, withheld } from '../fakes/host.ts';

const inotify = {
  'proc/sys/fs/inotify/max_user_instances': '128\n',
  'proc/sys/fs/inotify/max_user_watches': '600000\n',
};
const route = {
  'proc/net/route': 'Iface\tDestination\neth0\t00000000\n',
  'sys/class/net/eth0/mtu': '1400\n',
};

/** apt as the tool uses it: what is installed is a file per package, and docker.io brings dockerd. */
const simulated =
  'case "$*" in *--simulate*) for each in docker.io runc containerd docker-cli; do echo "Inst $each (1.0 Debian)"; done; exit;; esac; ';
const apt = {
  'apt-get': `${simulated}for last; do true; done; [ "$last" = update ] || { mkdir -p $ROOT/packages; touch $ROOT/packages/docker.io; }`,
  'apt-cache': '[ "$2" = docker-cli ] && echo "  Candidate: 1.0" || echo "  Candidate: (none)"',
  'dpkg-query': '[ -f "$ROOT/packages/$2" ] && echo "Status: install ok installed"',
  sysctl: `for setting; do
    echo "$setting" | sed -n 's/.*[.]\\(.*\\)=\\(.*\\)/\\1 \\2/p' | while read -r name value; do
      echo "$value" >"$ROOT/proc/sys/fs/inotify/$name"
    done
  done`,
};

function pathsOf({ root }: FakeHost): Paths {
  const [checkout, state, cache, data] = ['checkout', 'state', 'cache', 'data'].map((name) =>
    join(root, name),
  );
  return { checkout, state, cache, data } as Paths;
}

async function makeBareDebian(options: FakeHostOptions = {}) {
  const files = { ...debian, ...inotify, ...options.files };
  const fake = await makeHost({ ...options, files, programs: { ...apt, ...options.programs } });
  return { ...fake, paths: pathsOf(fake) };
}

const run = (): Run => ({ signal: new AbortController().signal, report: () => {} });

/** Runs the plan of the changes, one stage after another. Resolves to the titles of the steps that had something to do. */
async function makeChanges(changes: readonly Change[], fake: FakeHost, run: Run): Promise<readonly string[]> {
  const applied: string[] = [];
  for (const step of planChanges(changes, fake).flatMap(({ steps }) => steps)) {
    if (await step.isDone?.(run)) continue;
    applied.push(step.title);
    await step.apply(run);
  }
  return applied;
}

/** An engine in which privileged containers start, or fail with this message. */
function enginesAnswers(refusal?: string, nodes: readonly object[] = []): Routes {
  return {
    ...dockerRoutes,
    'GET /containers/json': nodes,
    'POST /images/create': (request, response) => {
      request.resume().on('end', () => response.end('{"status":"sha256:1"}\n'));
    },
    'POST /containers/create': (request, response) => {
      request.resume().on('end', () => sendJson(response, 201, { Id: 'c1' }));
    },
    'POST /containers/c1/start': (_, response) => {
      if (refusal === undefined) response.writeHead(204).end();
      else sendJson(response, 400, { message: refusal });
    },
    'DELETE /containers/c1': (_, response) => response.writeHead(204).end(),
  };
}

const capsRefused = 'OCI runtime create failed: unable to apply caps: operation not permitted: unknown';

async function connect(fake: FakeHost, routes: Routes) {
  await mkdir(join(fake.root, 'var/run'), { recursive: true });
  const socket = await startEngine(routes, join(fake.root, 'var/run/docker.sock'));
  const engine = await getEngine(fake.host);
  return { socket, engine, docker: createDocker(engine, fake.exec) };
}

async function recordEngine({ host, exec }: FakeHost): Promise<void> {
  const record = createSystemRecord(createRoot(host, exec));
  const done = { isNeeded: async () => false, apply: async () => {} };
  await record.add({ id: 'install-docker', title: 'Docker installed', why: '', detail: '', ...done });
}

test('a bare Debian: everything in one list, in the order of doing it', async () => {
  const fake = await makeBareDebian({ files: { ...withheld, ...route } });
  const changes = await collectChanges({ ...fake, engine: undefined, packages: ['mmdebstrap'] });
  expect(changes.map(({ id }) => id)).toEqual([
    'engine-settings',
    'install-docker',
    'start-engine',
    'install-build-tools',
  ]);
  const text = describeChanges(changes).join('\n');
  expect(text).toContain('"mtu":1400');
  expect(text).toContain(
    'apt-get install --yes --no-install-recommends docker.io docker-cli; it also installs runc, containerd',
  );
  expect(text).not.toContain('docker-buildx');
  const calls = (await fake.calls()).filter((call) => call.startsWith('apt-get'));
  expect(calls.filter((call) => !call.includes('--simulate'))).toEqual([]);
});

test('without an index of packages, the consent names what may come', async () => {
  const fake = await makeBareDebian({
    files: granted,
    programs: { 'apt-get': 'echo "E: Unable to locate package docker.io" >&2; exit 100', 'apt-cache': '' },
  });
  const changes = await collectChanges({ ...fake, engine: undefined });
  expect(changes.find(({ id }) => id === 'install-docker')?.detail).toBe(
    'apt-get install --yes --no-install-recommends docker.io, with docker-cli and docker-buildx if they exist, and what they depend on',
  );
});

test('an ordinary machine needs no settings', async () => {
  const fake = await makeBareDebian({ files: granted });
  const changes = await collectChanges({ ...fake, engine: undefined });
  expect(changes.map(({ id }) => id)).not.toContain('engine-settings');
});

test('who is not root goes through sudo, and into the docker group', async () => {
  const fake = await makeBareDebian({
    files: granted,
    user: 'ada',
    uid: 1000,
    programs: { sudo: '', id: 'echo ada users' },
  });
  const changes = await collectChanges({ ...fake, engine: undefined });
  expect(changes.map(({ id }) => id)).toContain('docker-group');
  for (const { id, detail } of changes) {
    if (id !== 'engine-settings') expect(detail).toMatch(/^sudo /);
  }
});

test('applied one after another, each recorded; what is done is not done again', async () => {
  const fake = await makeBareDebian({
    files: { ...withheld, ...route },
    programs: { 'start-stop-daemon': 'touch $ROOT/started' },
  });
  const changes = await collectChanges({ ...fake, engine: undefined });
  await mkdir(join(fake.root, 'var/run'), { recursive: true });
  // Answers from here on, so that starting it is no longer needed.
  await startEngine(dockerRoutes, join(fake.root, 'var/run/docker.sock'));
  expect(await makeChanges(changes, fake, run())).toContain('Docker installed with apt');

  const settings = JSON.parse(await readFile(join(fake.root, 'etc/docker/daemon.json'), 'utf8'));
  expect(settings).toMatchObject({ mtu: 1400, 'default-runtime': 'wealist-nores' });
  const wrapper = join(fake.root, settings.runtimes['wealist-nores'].path);
  expect((await stat(wrapper)).mode & 0o777).toBe(0o755);
  const calls = await fake.calls();
  const apt = (each: string) => each.startsWith('apt-get') && !each.includes('--simulate');
  expect(calls.filter(apt)).toEqual([
    expect.stringMatching(/update$/),
    expect.stringMatching(/install --yes --no-install-recommends docker\.io docker-cli$/),
  ]);
  expect(calls).not.toContainEqual(expect.stringContaining('start-stop-daemon'));

  const record = await createSystemRecord(createRoot(fake.host, fake.exec)).list();
  expect(record.map(({ id }) => id)).toEqual(['engine-settings', 'install-docker']);
  expect(await makeChanges(changes, fake, run())).toEqual([]);
  expect((await fake.calls()).filter(apt)).toHaveLength(2);
});

test.each([
  ['root', 0],
  ['ada', 1000],
])('a failed installation has the reason, as user %s', async (user, uid) => {
  const fake = await makeBareDebian({
    files: granted,
    user,
    uid,
    programs: {
      'apt-get': 'echo "E: dpkg was interrupted, you must manually run it" >&2; exit 100',
      sudo: 'shift 2; exec "$@"',
      id: 'echo ada',
    },
  });
  const changes = await collectChanges({ ...fake, engine: undefined });
  await expect(makeChanges(changes, fake, run())).rejects.toMatchObject({
    message: 'apt-get ended with exit code 100',
    cause: 'E: dpkg was interrupted, you must manually run it',
    hint: 'sudo dpkg --configure -a',
    exitCode: 3,
  });
  expect(await createSystemRecord(createRoot(fake.host, fake.exec)).list()).toEqual([]);
});

test("an installation that is killed in the middle is known as this tool's, and the next run completes it", async () => {
  const fake = await makeBareDebian({
    files: granted,
    programs: {
      // As dpkg is found after `kill -9` in the middle of docker.io, and after it has been completed.
      dockerd: '',
      'apt-get': 'for last; do true; done; [ "$last" = update ] || exit 100',
      dpkg: 'rm -f $ROOT/half; mkdir -p $ROOT/packages; touch $ROOT/packages/docker.io',
      'dpkg-query': `[ "$1" = --show ] && { [ -f $ROOT/half ] && echo "iF "; exit 0; }
        [ -f $ROOT/half ] && echo "Status: install ok half-configured"
        [ -f "$ROOT/packages/$2" ] && echo "Status: install ok installed"; true`,
      'start-stop-daemon': 'touch $ROOT/started',
    },
  });
  const { dockerd: _, ...bare } = fake.host;
  const first = await collectChanges({ ...fake, host: { ...bare, dockerd: undefined }, engine: undefined });
  await writeFile(join(fake.root, 'half'), '');
  await expect(makeChanges(first, fake, run())).rejects.toThrow('apt-get ended with exit code 100');
  const record = createSystemRecord(createRoot(fake.host, fake.exec));
  expect(await record.list()).toMatchObject([{ id: 'install-docker', ended: false }]);

  const next = await collectChanges({ ...fake, engine: undefined });
  expect(next.map(({ id }) => id)).toEqual(['finish-packages', 'install-docker', 'start-engine']);
  expect(next[0]?.detail).toBe('dpkg --configure -a');
  await mkdir(join(fake.root, 'var/run'), { recursive: true });
  await startEngine(dockerRoutes, join(fake.root, 'var/run/docker.sock'));
  await makeChanges(next, fake, run());
  expect(await record.list()).toMatchObject([
    { id: 'finish-packages', ended: true },
    { id: 'install-docker', ended: true },
  ]);
  expect(await collectChanges({ ...fake, engine: undefined })).toEqual([]);
});

test('a change is recorded before it is made', async () => {
  const fake = await makeBareDebian({ files: granted });
  const record = createSystemRecord(createRoot(fake.host, fake.exec));
  const during: unknown[] = [];
  const change: Change = {
    ...{ id: 'install-docker', title: '', why: '', detail: '' },
    isNeeded: async () => true,
    apply: async () => void during.push(...(await record.list())),
  };
  await makeChanges([change], fake, run());
  expect(during).toMatchObject([{ id: 'install-docker', ended: false }]);
  expect(await record.list()).toMatchObject([{ id: 'install-docker', ended: true }]);
});

test('dpkg that another process still runs is waited for', async () => {
  const locked = 'dpkg: error: dpkg frontend lock was locked by another process with pid 7';
  const fake = await makeBareDebian({
    programs: { dpkg: `[ -f $ROOT/free ] || { touch $ROOT/free; echo "${locked}" >&2; exit 2; }` },
  });
  const root = createRoot(fake.host, fake.exec);
  const reports: string[] = [];
  const report = (line: string) => void reports.push(line);
  await finishPackages(root, fake.exec, { interval: 10 }).apply({ ...run(), report });
  expect(reports).toContain('waiting for another installation of packages to end');
  const never = finishPackages(root, async () => Promise.reject(new Error('no dpkg-query')));
  expect(await never.isNeeded()).toBe(false);
  await mkdir(join(fake.root, 'var/lib/dpkg/updates'), { recursive: true });
  await writeFile(join(fake.root, 'var/lib/dpkg/updates/0001'), '');
  expect(await never.isNeeded()).toBe(true);
});

test('settings that the user made stay, those of other runtimes too, and a copy is kept', async () => {
  const nvidia = { path: 'nvidia-container-runtime', runtimeArgs: [] };
  const before = {
    'log-driver': 'local',
    runtimes: { nvidia },
    'default-runtime': 'nvidia',
    mtu: 1500,
  };
  const text = `${JSON.stringify(before)}\n`;
  const fake = await makeBareDebian({ files: { ...withheld, ...route, 'etc/docker/daemon.json': text } });
  const file = join(fake.root, 'etc/docker/daemon.json');
  const [settings] = await collectChanges({ ...fake, engine: undefined });
  expect(settings?.detail).toContain('replaces "mtu": 1500; replaces "default-runtime": "nvidia"');
  const reports: string[] = [];
  await settings?.apply({ ...run(), report: (line) => reports.push(line) });
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
    'log-driver': 'local',
    runtimes: { nvidia, 'wealist-nores': { path: '/usr/local/lib/wealist-local/runc-without-sys-resource' } },
    'default-runtime': 'wealist-nores',
    mtu: 1400,
  });
  expect(await settings?.isNeeded()).toBe(false);
  const [, copy = ''] = /^the previous settings are in (\S+)$/.exec(reports[0] ?? '') ?? [];
  expect(settings?.detail).toContain(copy);
  expect(await readFile(copy, 'utf8')).toBe(text);
  expect((await stat(copy)).mode & 0o777).toBe(0o600);
});

test.each([
  ['{"mtu": 14', ':1:11', 'close brace expected'],
  ['{\n  "mtu": 1400,\n}\n', ':3:1', 'property name expected'],
  ['{\n  // fast\n  "mtu": 1400\n}\n', ':2:3', 'invalid comment token'],
])(
  'settings that are not JSON are refused with their place, and nothing is written: %j',
  async (text, place, cause) => {
    const fake = await makeBareDebian({ files: { ...withheld, 'etc/docker/daemon.json': text } });
    const file = join(fake.root, 'etc/docker/daemon.json');
    const collected = collectChanges({ ...fake, engine: undefined });
    await expect(collected).rejects.toMatchObject({
      message: `${file}${place} is not JSON`,
      cause: expect.stringContaining(cause),
      exitCode: 3,
    });
    expect(await readFile(file, 'utf8')).toBe(text);
  },
);

test('settings that are a list are refused', async () => {
  const fake = await makeBareDebian({ files: { ...withheld, 'etc/docker/daemon.json': '[]' } });
  await expect(collectChanges({ ...fake, engine: undefined })).rejects.toThrow('is not a JSON object');
});

test('lists are added to, without repetition', () => {
  const present = {
    dns: ['10.0.0.1'],
    hosts: ['fd://'],
    'default-address-pools': [{ base: '10.1.0.0/16', size: 24 }],
  };
  const wanted = {
    dns: ['10.0.0.1', '10.0.0.2'],
    'default-address-pools': [{ base: '10.1.0.0/16', size: 24 }],
  };
  expect(mergeSettings(present, wanted)).toEqual({ ...present, dns: ['10.0.0.1', '10.0.0.2'] });
  expect(listReplaced(present, wanted)).toEqual([]);
});

test('an engine that this tool installed is started; another one is not', async () => {
  const fake = await makeBareDebian({ files: granted, programs: { dockerd: '' } });
  const foreign = collectChanges({ ...fake, engine: undefined });
  await expect(foreign).rejects.toMatchObject({ problem: 'down', hint: 'sudo service docker start' });

  await mkdir(join(fake.root, 'packages'), { recursive: true });
  await writeFile(join(fake.root, 'packages/docker.io'), '');
  await recordEngine(fake);
  const changes = await collectChanges({ ...fake, engine: undefined });
  expect(changes.map(({ id }) => id)).toEqual(['start-engine']);
});

test('an engine named by DOCKER_HOST is not replaced by another', async () => {
  const fake = await makeBareDebian({ files: granted });
  const host = { ...fake.host, env: { ...fake.host.env, DOCKER_HOST: 'unix:///nowhere/docker.sock' } };
  await expect(collectChanges({ ...fake, host, engine: undefined })).rejects.toMatchObject({
    problem: 'down',
  });
});

test.each([
  ['darwin', {}, 'brew install docker colima && colima start'],
  ['linux', { dnf: '' }, 'sudo dnf install moby-engine && sudo systemctl enable --now docker'],
  ['linux', {}, 'install Docker Engine 20.10 or newer, start it, then run this again'],
] as const)('without apt, on %s with %o: told how', async (platform, programs, hint) => {
  const fake = await makeHost({
    platform,
    programs,
    files: { 'etc/os-release': 'ID=other\nPRETTY_NAME=Other\n' },
  });
  const collected = collectChanges({ ...fake, paths: pathsOf(fake), engine: undefined });
  await expect(collected).rejects.toMatchObject({ problem: 'absent', hint, exitCode: 3 });
});

test('an engine that responds and starts privileged containers needs no change', async () => {
  const fake = await makeBareDebian({
    files: { ...granted, ...route },
  });
  const connected = await connect(fake, enginesAnswers());
  expect(await collectChanges({ ...fake, ...connected })).toEqual([]);
});

test('CAP_SYS_RESOURCE withheld: repaired in an engine of ours, else the exact lines', async () => {
  const fake = await makeBareDebian({ files: { ...granted, ...route } });
  const connected = await connect(fake, enginesAnswers(capsRefused));
  const failure = await collectChanges({ ...fake, ...connected }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(EngineFailure);
  const { hint = '', exitCode, cause } = failure as EngineFailure;
  expect(exitCode).toBe(3);
  expect(cause).toContain('unable to apply caps');
  const lines = hint.split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^sudo install -D -m 0755 \S+runtime-wrapper\.sh \/usr\/local\/lib\//);
  expect(lines[1]).toContain('"default-runtime":"wealist-nores"');
  expect(lines[2]).toBe('sudo service docker restart');

  await recordEngine(fake);
  const changes = await collectChanges({ ...fake, ...connected });
  expect(changes.map(({ id }) => id)).toEqual(['engine-settings', 'restart-engine']);
});

test('another engine than the installed one is neither configured nor restarted', async () => {
  const fake = await makeBareDebian({ files: { ...granted, ...route } });
  await recordEngine(fake);
  const large = { 'GET /networks/bridge': {} };
  const rootless = { ...large, 'GET /info': { ...docker.info, SecurityOptions: ['name=rootless'] } };
  const socket = await startEngine({ ...enginesAnswers(), ...rootless }, join(fake.root, 'docker.sock'));
  const host = { ...fake.host, env: { ...fake.host.env, DOCKER_HOST: `unix://${socket}` } };
  const engine = await getEngine(host);
  // Its MTU is larger than that of the default route, which is changed in the engine of this tool.
  expect(engine).toMatchObject({ rootless: true, mtu: undefined });
  expect(await collectChanges({ ...fake, host, engine })).toEqual([]);
  const ours = await connect(fake, { ...enginesAnswers(), ...large });
  const changes = await collectChanges({ ...fake, ...ours });
  expect(changes.map(({ id }) => id)).toEqual(['engine-settings', 'restart-engine']);
});

test('any other reason why a privileged container does not start is shown, not repaired', async () => {
  const fake = await makeBareDebian({ files: granted });
  await recordEngine(fake);
  const connected = await connect(fake, enginesAnswers('no space left'));
  await expect(collectChanges({ ...fake, ...connected })).rejects.toMatchObject({
    problem: 'broken',
    cause: expect.stringContaining('no space left'),
  });
});

test('without an engine no test container is started', async () => {
  const fake = await makeBareDebian({ files: { ...granted, ...route } });
  const { engine } = await connect(fake, enginesAnswers(capsRefused));
  expect(await collectChanges({ ...fake, engine })).toEqual([]);
});

test('an MTU above that of the host is lowered in an engine that this tool installed, and in no other', async () => {
  const fake = await makeBareDebian({ files: { ...granted, ...route } });
  const connected = await connect(fake, { ...enginesAnswers(), 'GET /networks/bridge': { Options: {} } });
  expect(await collectChanges({ ...fake, ...connected })).toEqual([]);
  await recordEngine(fake);
  const [settings, restart] = await collectChanges({ ...fake, ...connected });
  expect(settings?.detail).toContain('{"mtu":1400}');
  expect(restart?.id).toBe('restart-engine');
});

test('inotify limits are raised where the nodes there are and one more exceed them', async () => {
  const fake = await makeBareDebian({ files: granted });
  const node = { Id: 'n', Names: ['/n'], Image: 'i', State: 'running', Labels: {}, Ports: [] };
  const { engine, docker } = await connect(fake, enginesAnswers(undefined, [node, node]));
  const changes = await collectChanges({ ...fake, engine, docker });
  // Only the one that is too low.
  expect(changes.map(({ detail }) => detail)).toEqual([
    `sysctl -w fs.inotify.max_user_instances=512; the same in ${fake.root}/etc/sysctl.d/60-wealist-local.conf`,
  ]);
  await makeChanges(changes, fake, run());
  expect(await readFile(join(fake.root, 'proc/sys/fs/inotify/max_user_instances'), 'utf8')).toBe('512\n');
  expect(await readFile(join(fake.root, 'etc/sysctl.d/60-wealist-local.conf'), 'utf8')).toBe(
    'fs.inotify.max_user_instances=512\n',
  );
  expect((await createSystemRecord(createRoot(fake.host, fake.exec)).list()).map(({ id }) => id)).toEqual([
    'inotify-limits',
  ]);
  const again = await makeBareDebian({ files: granted });
  const one = await connect(again, enginesAnswers(undefined, [node]));
  expect(await collectChanges({ ...again, ...one })).toEqual([]);
});

test("an engine in a virtual machine: this machine's limits are not its", async () => {
  const fake = await makeBareDebian({ files: { ...granted, ...route } });
  const info = { ...docker.info, OperatingSystem: 'Docker Desktop' };
  const { engine } = await connect(fake, { ...dockerRoutes, 'GET /info': info });
  expect(await collectChanges({ ...fake, engine: engine as Engine })).toEqual([]);
});

test('a damaged record is not believed', async () => {
  const fake = await makeBareDebian();
  await recordEngine(fake);
  const record = createSystemRecord(createRoot(fake.host, fake.exec));
  expect(await record.list()).toHaveLength(1);
  await writeFile(record.path, '{"version":1,"chan');
  expect(await record.list()).toEqual([]);
});
