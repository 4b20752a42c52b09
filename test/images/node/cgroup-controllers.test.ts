import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CommandFailure } from '../../../src/lib/failure.ts';
import { exec } from '../../../src/tools/exec.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const rootfs = join(import.meta.dirname, '../../../images/node/rootfs');
const script = join(rootfs, 'usr/local/bin/enable-cgroup-controllers');
/** The controllers of a stock kernel. */
const stock = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma', 'misc'];

/** Files in place of the kernel's: a group lists what its parent has enabled. */
async function makeGroup(path: string, controllers: readonly string[]) {
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'cgroup.controllers'), `${controllers.join(' ')}\n`);
}

const run = (root: string) => exec(script, [root, 'kubelet', 'kubelet.slice'], {});
/** The controllers that were enabled below a group, in order. */
const enabledBelow = async (group: string) =>
  (await readFile(join(group, 'cgroup.subtree_control'), 'utf8')).trim().split('\n');

test('cgroup v2: all controllers are enabled, one at a time, for both names of the group of the kubelet', async () => {
  const root = await makeTemporaryFolder();
  await makeGroup(root, stock);
  await makeGroup(join(root, 'kubelet'), stock);
  await makeGroup(join(root, 'kubelet.slice'), stock);
  await run(root);
  const all = stock.map((controller) => `+${controller}`);
  for (const group of ['', 'kubelet', 'kubelet.slice']) {
    expect(await enabledBelow(join(root, group))).toEqual(all);
  }
});

test('a kernel without hugetlb, and groups that do not exist yet', async () => {
  const root = await makeTemporaryFolder();
  await makeGroup(root, ['cpu', 'memory', 'pids']);
  await mkdir(join(root, 'kubelet.slice'));
  await writeFile(join(root, 'kubelet.slice/cgroup.controllers'), '\n');
  await makeGroup(join(root, 'kubelet'), ['cpu']);
  await run(root);
  expect(await enabledBelow(root)).toEqual(['+cpu', '+memory', '+pids']);
  expect(await enabledBelow(join(root, 'kubelet'))).toEqual(['+cpu']);
});

test('a controller that cannot be enabled is named, and the kubelet starts anyway', async () => {
  const root = await makeTemporaryFolder();
  await makeGroup(root, ['rdma']);
  // Nothing can be written to it.
  await mkdir(join(root, 'cgroup.subtree_control'));
  await makeGroup(join(root, 'kubelet'), ['cpu']);
  await makeGroup(join(root, 'kubelet.slice'), ['cpu']);
  const { stderr } = await run(root);
  expect(stderr).toContain(`cgroup controller rdma cannot be enabled below ${root}`);
  expect(await enabledBelow(join(root, 'kubelet.slice'))).toEqual(['+cpu']);
});

test('cgroup v1 is left as it is', async () => {
  const root = await makeTemporaryFolder();
  await mkdir(join(root, 'cpu'));
  await run(root);
  await expect(readFile(join(root, 'cgroup.subtree_control'))).rejects.toThrow('ENOENT');
});

test('without the root of a tree it fails', async () => {
  await expect(exec(script, [], {})).rejects.toThrow(CommandFailure);
});

test('the unit of the kubelet runs it before each start', async () => {
  const unit = await readFile(join(rootfs, 'etc/systemd/system/kubelet.service'), 'utf8');
  expect(unit).toContain(
    'ExecStartPre=/usr/local/bin/enable-cgroup-controllers /sys/fs/cgroup kubelet kubelet.slice\n',
  );
  expect(unit.indexOf('ExecStartPre=')).toBeLessThan(unit.indexOf('ExecStart='));
});
