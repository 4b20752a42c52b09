import { join } from 'node:path';
import type { NodeRecipe } from '../../src/images/build/node-image.ts';
import { folderEntries } from '../../src/images/store/layer.ts';
import { versions } from '../../src/tools/versions.ts';
import { path, shell } from '../debian-parts.ts';

const kubernetesVersion = `v${versions.kubernetes}`;
const folder = import.meta.dirname;

/** The linker sets the version in both packages; kubeadm accepts only Kubernetes versions close to it. */
const kubernetesFlags = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']
  .flatMap((path) => {
    const [major, minor] = versions.kubernetes.split('.');
    const values = { gitVersion: kubernetesVersion, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
    return Object.entries(values).map(([name, value]) => `-X ${path}.${name}=${value}`);
  })
  .join(' ');

const kubernetes = { module: join(folder, 'kubernetes'), ldflags: kubernetesFlags };

const kubectl = { ...kubernetes, package: './kubectl' };

/** A kind node image from Debian packages and Go modules. */
export const recipe: NodeRecipe = {
  minutes: 8,
  kubernetesVersion,
  kubectl,

  async build(workshop) {
    const kube = await workshop.goProgram({ ...kubernetes, package: './kube' });
    const kubeadm = await workshop.goProgram({ ...kubernetes, package: './kubeadm' });
    const kubectlProgram = await workshop.goProgram(kubectl);

    // systemd and runc of Debian 12 still support cgroup v1; its containerd is too old for this kubelet.
    const system = await workshop.debianRoot({
      suite: 'bookworm',
      variant: 'minbase',
      packages: [
        ...['systemd', 'systemd-sysv', 'dbus', 'libseccomp2', 'ca-certificates'],
        ...['runc', 'containernetworking-plugins', 'iptables', 'iproute2', 'conntrack', 'ethtool', 'kmod'],
        ...['mount', 'util-linux', 'procps', 'hostname', 'socat', 'gzip'],
      ],
      overlay: { suite: 'trixie', packages: ['containerd'] },
    });
    const node = await workshop.layer([
      ...(await folderEntries(join(folder, 'rootfs'))),
      { path: 'usr/bin/kubelet', file: kube },
      { path: 'usr/bin/kubeadm', file: kubeadm },
      { path: 'usr/bin/kubectl', file: kubectlProgram },
      { path: 'kind/version', content: kubernetesVersion },
      { path: 'etc/kubernetes/manifests', mode: 0o700, folder: true },
      ...enabled('containerd.service', 'kubelet.service'),
      ...masked(
        // A node has at most one terminal, no own devices and no disk to check.
        ...['systemd-udevd.service', 'systemd-udev-trigger.service', 'console-getty.service', 'getty.target'],
        ...[
          'systemd-logind.service',
          'systemd-remount-fs.service',
          'dev-hugepages.mount',
          'sys-fs-fuse-connections.mount',
        ],
        ...[
          'systemd-journald-audit.socket',
          'apt-daily.timer',
          'apt-daily-upgrade.timer',
          'e2scrub_all.timer',
        ],
      ),
    ]);

    return {
      node: workshop.image([system, node], {
        Entrypoint: ['/usr/local/bin/entrypoint', '/sbin/init'],
        Env: ['container=docker', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
        StopSignal: 'SIGRTMIN+3',
      }),
      preload: await preload(),
    };

    /** The images that kubeadm, the network and the storage manifest name, on the node under exactly these names. */
    async function preload() {
      const { goProgram, debianRoot, layer, image } = workshop;
      const program = async (name: string, file: string) =>
        image([await layer([{ path: `usr/local/bin/${name}`, file }])], {
          Entrypoint: [`/usr/local/bin/${name}`],
          Env: [path],
        });

      // kube-proxy and the pod network call iptables with its extensions; the other images need only their program.
      const iptables = await debianRoot({
        suite: 'bookworm',
        variant: 'extract',
        packages: ['base-files', 'iptables', 'kmod'],
      });
      const iptablesNames = ['iptables', 'ip6tables'].flatMap((name) =>
        [name, `${name}-save`, `${name}-restore`].map((program) => ({
          path: `usr/local/bin/${program}`,
          link: '/usr/sbin/xtables-nft-multi',
        })),
      );
      const kubePrograms = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'];
      const kubeLayer = await layer([
        { path: 'usr/local/bin/kube', file: kube },
        ...kubePrograms.map((name) => ({ path: `usr/local/bin/${name}`, link: 'kube' })),
        ...iptablesNames,
      ]);
      const kubeImage = image([iptables, kubeLayer], { Env: [path] });

      const helper = await debianRoot({
        suite: 'bookworm',
        variant: 'extract',
        packages: ['base-files', 'busybox-static'],
      });
      const programs = await layer(shell);
      const coredns = await goProgram({ package: 'github.com/coredns/coredns', version: 'v1.12.1' });
      const etcd = await goProgram({ module: join(folder, 'etcd'), package: '.' });
      const pause = await goProgram({ module: join(folder, 'pause'), package: '.' });
      const network = await goProgram({ module: join(folder, 'network'), package: '.' });
      const provisioner = await goProgram({
        package: 'github.com/rancher/local-path-provisioner',
        version: 'v0.0.30',
      });

      return {
        ...Object.fromEntries(
          kubePrograms.map((name) => [`registry.k8s.io/${name}:${kubernetesVersion}`, kubeImage]),
        ),
        'registry.k8s.io/etcd:3.6.5-0': await program('etcd', etcd),
        'registry.k8s.io/coredns/coredns:v1.12.1': await program('coredns', coredns),
        'registry.k8s.io/pause:3.10.1': await program('pause', pause),
        'wealist.local/pod-network:1': image(
          [iptables, await layer([{ path: 'usr/local/bin/network', file: network }, ...iptablesNames])],
          { Env: [path] },
        ),
        'wealist.local/local-path-provisioner:v0.0.30': await program('local-path-provisioner', provisioner),
        'wealist.local/storage-helper:1': image([helper, programs], { Env: [path] }),
      };
    }
  },
};

function enabled(...units: readonly string[]) {
  return units.map((unit) => ({
    path: `etc/systemd/system/multi-user.target.wants/${unit}`,
    link: `/etc/systemd/system/${unit}`,
  }));
}

function masked(...units: readonly string[]) {
  return units.map((unit) => ({ path: `etc/systemd/system/${unit}`, link: '/dev/null' }));
}
