import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readPatches, toKindCluster, toKubeletAdditions } from '../../src/config/kind-cluster.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const settings = {
  name: 'wealist',
  image: 'node:1',
  httpPort: 8080,
  httpsPort: 8443,
  workers: [],
  volumes: '/data/volumes',
  owner: '/data/owners/1',
  kubelet: '/data/kubelet.conf',
  patches: '/data/kubeadm-patches',
};

async function makeCheckout(cluster: string): Promise<string> {
  const checkout = await makeTemporaryFolder();
  await mkdir(join(checkout, 'kind'));
  await writeFile(join(checkout, 'kind/cluster.yaml'), cluster);
  return checkout;
}

test('the file is completed with what only a run knows, and keeps what it says', async () => {
  const checkout = await makeCheckout(`
kind: Cluster
nodes:
  - extraPortMappings: [{ containerPort: 80 }, { containerPort: 443 }, { containerPort: 5432, hostPort: 15432 }]
    extraMounts: [{ hostPath: /own, containerPath: /own }]
`);
  expect(parse(await toKindCluster(checkout, settings))).toEqual({
    kind: 'Cluster',
    name: 'wealist',
    nodes: [
      {
        image: 'node:1',
        extraPortMappings: [
          { containerPort: 80, hostPort: 8080 },
          { containerPort: 443, hostPort: 8443 },
          { containerPort: 5432, hostPort: 15432 },
        ],
        extraMounts: [
          { hostPath: '/own', containerPath: '/own' },
          { hostPath: '/data/volumes', containerPath: '/var/local-path-provisioner' },
          { hostPath: '/data/owners/1', containerPath: '/var/lib/wealist-local/owner', readOnly: true },
          {
            hostPath: '/data/kubelet.conf',
            containerPath: '/etc/systemd/system/kubelet.service.d/20-wealist-local.conf',
            readOnly: true,
          },
          { hostPath: '/data/kubeadm-patches', containerPath: '/etc/kubernetes/patches', readOnly: true },
        ],
      },
    ],
  });
});

test('kubeadm finds the patches of the checkout where kind/cluster.yaml says, by names that it knows', async () => {
  const repository = join(import.meta.dirname, '../..');
  const { kubeadmConfigPatches, nodes } = parse(await toKindCluster(repository, settings));
  const patches: readonly string[] = kubeadmConfigPatches;
  const { directory } = patches
    .map((text) => parse(text))
    .find(({ kind }) => kind === 'InitConfiguration').patches;
  expect(nodes[0].extraMounts).toContainEqual({
    ...{ hostPath: settings.patches, containerPath: directory, readOnly: true },
  });
  const found = await readPatches(repository);
  expect(found.size).toBeGreaterThan(0);
  for (const [file, text] of found) {
    // kubeadm ignores a file of another name.
    expect(file).toMatch(
      /^(etcd|kube-apiserver|kube-controller-manager|kube-scheduler|corednsdeployment)\.yaml$/,
    );
    expect(parse(text).metadata).toMatchObject({ namespace: 'kube-system' });
  }
});

test('a checkout without patches has none', async () => {
  expect(await readPatches(await makeCheckout('nodes: []'))).toEqual(new Map());
});

test('worker nodes are added with the label of their type, and have the volumes as the control plane has', async () => {
  const checkout = await makeCheckout('nodes: [{ role: control-plane }]\n');
  const { nodes } = parse(await toKindCluster(checkout, { ...settings, workers: ['app', 'db'] }));
  expect(nodes.map(({ role, labels }: { role: string; labels: object }) => [role, labels])).toEqual([
    ['control-plane', undefined],
    ['worker', { 'wealist.local/node-type': 'app' }],
    ['worker', { 'wealist.local/node-type': 'db' }],
  ]);
  expect(nodes[2]).toMatchObject({ image: 'node:1', extraMounts: nodes[0].extraMounts });
  expect(nodes[2]).not.toHaveProperty('extraPortMappings');
});

test('packets to unknown Services are dropped, in the Service range of the file', async () => {
  const checkout = await makeCheckout('networking: { serviceSubnet: 10.1.0.0/16 }\nnodes: [{}]\n');
  const lines = (await toKubeletAdditions(checkout)).trimEnd().split('\n');
  expect(lines).toEqual([
    '[Service]',
    expect.stringMatching(/^ExecStartPre=-.* --append FORWARD --destination 10\.1\.0\.0\/16 --jump DROP"$/),
    expect.stringMatching(/^ExecStartPre=-.* --append OUTPUT --destination 10\.1\.0\.0\/16 --jump DROP"$/),
  ]);
});

test.each([
  ['no nodes', 'kind: Cluster\n'],
  ['nothing', ''],
  ['a node that is none', 'nodes: [null]\n'],
  ['mounts that are none', 'nodes: [{ extraMounts: here }]\n'],
  ['a network that is none', 'networking: 1\nnodes: [{}]\n'],
])('a file with %s is refused with exit code 2', async (_, text) => {
  await expect(toKindCluster(await makeCheckout(text), settings)).rejects.toMatchObject({
    ...{ exitCode: 2, message: expect.stringContaining('kind/cluster.yaml') },
  });
});

test('a mistake in YAML has its place', async () => {
  const checkout = await makeCheckout('nodes:\n\t- role: control-plane\n');
  await expect(toKindCluster(checkout, settings)).rejects.toMatchObject({
    message: expect.stringMatching(/^kind\/cluster\.yaml:2:1: got a tab/),
    exitCode: 2,
  });
});
