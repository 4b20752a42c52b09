import { chmod, lstat, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { packTar } from '../../../src/images/store/tar.ts';
import { createDockerCli } from '../../../src/tools/docker/cli.ts';
import { createNodes } from '../../../src/tools/docker/nodes.ts';
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

test('files of any name are put, and a link in the folder is replaced, not followed', async () => {
  const { nodes, folder, read } = await makeNode();
  const live = join(folder, 'live');
  await mkdir(live);
  await writeFile(join(folder, 'secret'), '', { mode: 0o600 });
  await symlink(join(folder, 'secret'), join(live, 'link'));
  await writeFile(join(live, '-old'), 'old', { mode: 0o640 });
  await chmod(join(live, '-old'), 0o640);
  const paths = ['-x', '-old', 'link', '--help/-y'];
  const archive = packTar(async (tar) => {
    for (const name of paths) tar.entry({ name, mode: 0o644 }, `new ${name}`);
  });
  await nodes.putFiles('node', live, { archive, paths }, signal);
  for (const name of paths) expect(await read(`live/${name}`)).toBe(`new ${name}`);
  expect((await lstat(join(live, 'link'))).mode & 0o777).toBe(0o644);
  expect((await stat(join(live, '-old'))).mode & 0o777).toBe(0o640);
  expect(await read('secret')).toBe('');
});
