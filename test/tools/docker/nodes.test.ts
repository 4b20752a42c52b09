import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type LayerEntry, packLayer } from '../../../src/images/store/layer.ts';
import type { FolderChanges } from '../../../src/tools/docker/change-folder.ts';
import { createDockerCli } from '../../../src/tools/docker/cli.ts';
import { createNodes } from '../../../src/tools/docker/nodes.ts';
import { restartEntrypoint } from '../../../src/tools/docker/restart-program.ts';
import { exec } from '../../../src/tools/exec.ts';
import { noWatch } from '../../fakes/watch.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

/** A node whose `ctr` has one image, and after an import another one, called as the archive says. */
const ctr = `
case "$*" in
  *'images import -')
    name=$(cat)
    case "$name" in '' | broken) echo 'unexpected EOF' >&2; exit 1 ;; esac
    echo "$name" >"$HOME/imported" ;;
  *'images list --quiet '*) echo 'sha256:id' ;;
  *'images list '*)
    printf '%s\\n' "$*" >>"$HOME/asked"
    echo 'REF TYPE DIGEST SIZE'
    echo 'wealist.local/a:1 application/vnd.oci.image.manifest.v1+json sha256:aa 1.0 KiB linux/amd64 -'
    if [ -e "$HOME/imported" ]; then echo "$(cat "$HOME/imported") type sha256:bb 1.0 KiB"; fi ;;
  *'images remove '*) echo "$*" >"$HOME/removed" ;;
  *'snapshots list') echo 'KEY PARENT KIND'; echo 'sha256:c1  Committed'; echo 'sha256:c2 sha256:c1 Committed' ;;
  *'content list --quiet') echo 'sha256:d1' ;;
esac
`;

/** As long as a request has to be led somewhere, there is a rule; each look takes one away. */
const iptables = `
cat "$HOME/rules"
sed -i 1d "$HOME/rules"
`;

async function makeNode() {
  const folder = await makeTemporaryFolder();
  const programs = {
    ctr,
    'iptables-save': iptables,
    docker: 'shift; [ "$1" != --interactive ] || shift; shift; exec "$@"',
  };
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  const env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder };
  const there: typeof exec = (program, args, options) =>
    exec(join(folder, program), args, { ...options, env: { ...options?.env, ...env } });
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  const write = (name: string, content: string) => writeFile(join(folder, name), content);
  return { nodes: createNodes(createDockerCli(there, { env: {}, watch: noWatch })), read, write, folder };
}

const { signal } = new AbortController();
const query = { repository: 'wealist.local/a' };

test('the content of a node is listed before the archive, which the same program imports', async () => {
  const { nodes, read } = await makeNode();
  const load = nodes.openLoad('node', query, signal);
  const { images, layers } = await load.content;
  expect(images).toEqual(new Map([['wealist.local/a:1', 'sha256:aa']]));
  expect(layers).toEqual(new Set(['sha256:c1', 'sha256:c2', 'sha256:d1']));
  expect(await load.importImages(Readable.from(['wealist.local/a:2']))).toEqual(
    new Map([
      ['wealist.local/a:1', 'sha256:aa'],
      ['wealist.local/a:2', 'sha256:bb'],
    ]),
  );
  const asked = '--namespace=k8s.io images list name~="^wealist\\\\.local/a:"\n';
  expect(await read('asked')).toBe(asked.repeat(2));
});

test('images are asked for by their references', async () => {
  const { nodes, read } = await makeNode();
  await nodes.list('node', { references: ['wealist.local/a:1', 'registry.k8s.io/pause:3.10'] }, signal);
  const asked = 'images list name=="wealist.local/a:1" name=="registry.k8s.io/pause:3.10"\n';
  expect(await read('asked')).toBe(`--namespace=k8s.io ${asked}`);
});

test('images are removed with the IDs of the same', async () => {
  const { nodes, read } = await makeNode();
  const references = ['wealist.local/a:1', 'wealist.local/a:2'];
  await nodes.removeImages('node', { references, digests: ['sha256:aa'] }, signal);
  expect(await read('removed')).toBe(`--namespace=k8s.io images remove ${references.join(' ')} sha256:id\n`);
  await nodes.removeImages('node', { references, digests: [] }, signal);
  expect(await read('removed')).toBe(`--namespace=k8s.io images remove ${references.join(' ')}\n`);
});

test('an import that fails has the reason', async () => {
  const load = (await makeNode()).nodes.openLoad('node', query, signal);
  await expect(load.importImages(Readable.from(['broken']))).rejects.toMatchObject({
    stderr: 'unexpected EOF',
  });
});

test('an archive that cannot be read fails without waiting for the node', async () => {
  const load = (await makeNode()).nodes.openLoad('node', query, signal);
  const archive = new PassThrough();
  archive.destroy(new Error('the store was emptied'));
  await expect(load.importImages(archive)).rejects.toThrow('the store was emptied');
});

test('closing ends the program; the listed content stays', async () => {
  const load = (await makeNode()).nodes.openLoad('node', query, signal);
  const { images } = await load.content;
  load.close();
  expect(images.size).toBe(1);
});

test('an aborted run ends it with its reason', async () => {
  const run = new AbortController();
  const load = (await makeNode()).nodes.openLoad('node', query, run.signal);
  await load.content;
  run.abort(new Error('Ctrl-C'));
  await expect(load.importImages(new PassThrough())).rejects.toThrow('Ctrl-C');
});

test('a pod is led to until no rule names its address, which may become known after the node was entered', async () => {
  const { nodes, read, write } = await makeNode();
  const rule = (address: string) => `-A KUBE-SEP -j DNAT --to-destination ${address}:8080\n`;
  await write('rules', [rule('10.0.0.5'), rule('10.0.0.5'), rule('10.0.0.55'), rule('10.0.0.6')].join(''));
  await nodes.waitUntilUnrouted('node', sleep(20, ['10.0.0.5', '10.0.0.7']), signal);
  expect(await read('rules')).toBe(rule('10.0.0.6'));
});

test('where no address is given up, or none gets known, nothing is waited for', async () => {
  const { nodes, read, write } = await makeNode();
  await write('rules', 'a rule\n');
  await nodes.waitUntilUnrouted('node', Promise.resolve([]), signal);
  await expect(
    nodes.waitUntilUnrouted('node', Promise.reject(new Error('not ready')), signal),
  ).rejects.toThrow();
  expect(await read('rules')).toBe('a rule\n');
});

interface Given {
  readonly archived?: readonly LayerEntry[];
  readonly changes: FolderChanges['changes'];
}

/** A folder of a node with a file outside it. */
async function makeFolder() {
  const { nodes, folder, read } = await makeNode();
  const live = join(folder, 'live');
  await mkdir(live);
  await writeFile(join(folder, 'secret'), '', { mode: 0o600 });
  const change = ({ archived = [], changes }: Given) =>
    nodes.changeFolder('node', live, { archive: packLayer(archived), changes }, signal);
  const modeOf = async (path: string) => (await lstat(join(live, path))).mode & 0o7777;
  return { folder, live, read, change, modeOf };
}

test('files of any name are put, and a link in the folder is replaced, not followed', async () => {
  const { folder, live, read, change, modeOf } = await makeFolder();
  await symlink(join(folder, 'secret'), join(live, 'link'));
  await writeFile(join(live, '-old'), 'old');
  await chmod(join(live, '-old'), 0o640);
  await writeFile(join(live, '-x'), 'old');
  const paths = [
    '-x',
    '-old',
    'link',
    '--help/-y',
    "it's a name",
    '한글 폴더/파일.txt',
    '$(id)',
    'Case',
    'case',
  ];
  await change({
    archived: paths.map((path) => ({ path, mode: 0o604, content: `new ${path}` })),
    changes: paths.map((path) => ({ path, action: path === '-x' ? 'put' : 'keep' })),
  });
  for (const path of paths) expect(await read(`live/${path}`)).toBe(`new ${path}`);
  expect(await modeOf('link')).toBe(0o604);
  expect(await modeOf('-old')).toBe(0o640);
  expect(await modeOf('-x')).toBe(0o604);
  expect(await read('secret')).toBe('');
  // Nothing is left beside the folder, where the archive was unpacked.
  expect((await readdir(folder)).filter((name) => name.startsWith('live'))).toEqual(['live']);
});

test('folders, links and removals; a path may become another kind', async () => {
  const { live, read, change, modeOf } = await makeFolder();
  await mkdir(join(live, 'folder/below'), { recursive: true });
  await writeFile(join(live, 'folder/below/file'), '');
  await writeFile(join(live, 'file'), '');
  await writeFile(join(live, 'gone'), '');
  await change({
    archived: [
      { path: 'folder', content: 'now a file' },
      { path: 'file/x', content: 'x' },
      { path: '-link', link: 'file/x' },
    ],
    changes: [
      { path: 'file', action: 'folder:750' },
      { path: 'empty one', action: 'folder:1777' },
      { path: 'folder', action: 'keep' },
      { path: 'file/x', action: 'put' },
      { path: '-link', action: 'put' },
      { path: 'folder/below/file', action: 'remove' },
      { path: 'folder/below', action: 'remove' },
      { path: 'gone', action: 'remove' },
      { path: 'never/there', action: 'remove' },
    ],
  });
  expect((await readdir(live)).sort()).toEqual(['-link', 'empty one', 'file', 'folder']);
  expect([await modeOf('file'), await modeOf('empty one')]).toEqual([0o750, 0o1777]);
  expect(await readlink(join(live, '-link'))).toBe('file/x');
  expect([await read('live/folder'), await read('live/-link')]).toEqual(['now a file', 'x']);
});

test.each<[string, Given]>([
  [
    'a file',
    { archived: [{ path: 'out/secret', content: 'x' }], changes: [{ path: 'out/secret', action: 'put' }] },
  ],
  ['a removal', { changes: [{ path: 'out/secret', action: 'remove' }] }],
  ['a folder', { changes: [{ path: 'out/new', action: 'folder:755' }] }],
])('%s below a link that leads out of the folder is refused', async (_, given) => {
  const { folder, live, read, change } = await makeFolder();
  await symlink(folder, join(live, 'out'));
  await expect(change(given)).rejects.toMatchObject({ stderr: expect.stringContaining('leads out of') });
  expect(await read('secret')).toBe('');
  expect(await readdir(folder)).not.toContain('new');
});

/** A program that is started through the entrypoint of an image, in a container of this ID. */
async function startProgram(script: string, entrypoint: readonly string[] = restartEntrypoint) {
  const { nodes, write, folder } = await makeNode();
  const [program = '', ...args] = [...entrypoint, '/bin/sh', '-c', script];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  await write(
    'ctr',
    `#!/bin/sh\necho 'TASK PID STATUS'; echo 'other 1 RUNNING'; echo 'run-1 ${child.pid} RUNNING'\n`,
  );
  await chmod(join(folder, 'ctr'), 0o755);
  const ended = once(child, 'exit').then(([code]) => code);
  const starts = () => printed.match(/started/g)?.length ?? 0;
  await expect.poll(starts).toBe(1);
  return { nodes, child, ended, starts };
}

test('the program of a container is restarted in it, as often as it is wanted', async () => {
  const { nodes, child, ended, starts } = await startProgram(
    'sleep 60 >/dev/null & trap "kill $!; exit 0" TERM; echo started; wait',
  );
  for (const count of [2, 3]) {
    expect(await nodes.restartProgram('node', 'run-1', signal)).toBe(true);
    await expect.poll(starts).toBe(count);
  }
  // The signals of the container are those of the program.
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});

test('a program that ends by itself ends the container with its exit code', async () => {
  const { ended } = await startProgram('echo started; exit 7');
  expect(await ended).toBe(7);
});

test('a program that was started otherwise is not signalled', async () => {
  const { nodes, child } = await startProgram('echo started; exec sleep 60', []);
  expect(await nodes.restartProgram('node', 'run-1', signal)).toBe(false);
  expect(child.exitCode).toBe(null);
  await expect(nodes.restartProgram('node', 'run-2', signal)).rejects.toMatchObject({
    stderr: 'container run-2 does not run',
  });
});

test('a command in a container has its output, and its exit code when it fails', async () => {
  const { nodes, write, folder } = await makeNode();
  await write('ctr', '#!/bin/sh\nshift 5; echo "$*"; exit 3\n');
  await chmod(join(folder, 'ctr'), 0o755);
  const lines: string[] = [];
  const run = nodes.execInContainer('node', 'run-1', ['nginx', '-s', 'a b'], {
    signal,
    onLine: (line) => lines.push(line),
  });
  await expect(run).rejects.toMatchObject({ status: 3 });
  expect(lines).toEqual(['run-1 nginx -s a b']);
});

/** A node whose `ctr` reports these events, and notes which containers are paused and resumed. */
async function startHolding(events: string, onStart: (name: string, id: string) => Promise<void>) {
  const { nodes, write, folder, read } = await makeNode();
  const info = (id: string, name: string, namespace: string) =>
    write(
      `info-${id}`,
      `"Labels": {\n  "io.kubernetes.container.name": "${name}",\n  "io.kubernetes.pod.namespace": "${namespace}"\n}\n`,
    );
  await info('own', 'noti-service', 'wealist');
  await info('other', 'auth-service', 'wealist');
  await info('elsewhere', 'noti-service', 'default');
  await write('calls', '');
  await write(
    'ctr',
    `#!/bin/sh
shift
case "$1 $2" in
  events*) printf '%s\\n' '${events}'; exec sleep 20 ;;
  'containers info') cat "$HOME/info-$3" ;;
  'tasks '*) echo "$2 $3" >>"$HOME/calls" ;;
esac
`,
  );
  await chmod(join(folder, 'ctr'), 0o755);
  const end = new AbortController();
  const options = {
    namespace: 'wealist',
    names: ['board-service', 'noti-service'],
    signal: end.signal,
    onStart,
  };
  const ended = nodes.holdStarts('node', options);
  const calls = async () => (await read('calls')).split('\n').filter(Boolean);
  return { end, ended, calls };
}

const toEvents = (...ids: string[]) =>
  ids
    .flatMap((id) => [
      `2026-11-30 03:57:37.769657853 +0000 UTC k8s.io /containers/create {"id":"${id}","runtime":{"name":"io.containerd.runc.v2"}}`,
      `2026-11-30 03:57:37.883327399 +0000 UTC k8s.io /tasks/create {"container_id":"${id}","pid":1}`,
      `2026-11-30 03:57:37.954550718 +0000 UTC k8s.io /tasks/start {"container_id":"${id}","pid":1}`,
    ])
    .join('\n');

test('a container of these names is frozen as it starts, until it is let go', async () => {
  const started: string[] = [];
  let release = () => {};
  const { end, ended, calls } = await startHolding(toEvents('other', 'elsewhere', 'own'), (name, id) => {
    started.push(`${name} ${id}`);
    return new Promise((resolve) => {
      release = resolve;
    });
  });
  await expect.poll(() => started).toEqual(['noti-service own']);
  expect(await calls()).toEqual(['pause own']);
  release();
  await expect.poll(calls).toEqual(['pause own', 'resume own']);
  end.abort();
  await ended;
});

test('a container that is held is let go when the command ends, and after 3 s', async () => {
  const holding = async () => {
    const holding = await startHolding(toEvents('own'), () => new Promise(() => {}));
    await expect.poll(holding.calls).toEqual(['pause own']);
    return holding;
  };
  const first = await holding();
  first.end.abort();
  await first.ended;
  expect(await first.calls()).toEqual(['pause own', 'resume own']);
  const second = await holding();
  await expect.poll(second.calls, { timeout: 10_000 }).toEqual(['pause own', 'resume own']);
  second.end.abort();
  await second.ended;
});
