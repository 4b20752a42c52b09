import { containersOf, type PodSpec, type Probe } from './manifests.ts';

/** Kubernetes 1.34: what `baseline` lets a pod set, and so `restricted` too. */
const safeSysctls = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);

const restrictedVolumes = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

/** Everything in a pod that the restricted Pod Security Standard refuses. */
export function listViolations(pod: PodSpec): readonly string[] {
  const context = pod.securityContext ?? {};
  const sysctls = context.sysctls ?? [];
  return [
    ...(['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((key) => pod[key]),
    ...sysctls.filter(({ name }) => !safeSysctls.has(name)).map(({ name }) => `sysctl ${name}`),
    ...(pod.volumes ?? []).flatMap(({ name, ...source }) =>
      Object.keys(source)
        .filter((kind) => !restrictedVolumes.has(kind))
        .map((kind) => `volume ${name}: ${kind}`),
    ),
    ...containersOf(pod).flatMap((container) => {
      const own = container.securityContext ?? {};
      const add = own.capabilities?.add ?? [];
      const probes = [container.livenessProbe, container.readinessProbe, container.startupProbe];
      const seccomp = own.seccompProfile ?? context.seccompProfile;
      const rules: Readonly<Record<string, boolean>> = {
        privileged: own.privileged === true,
        allowPrivilegeEscalation: own.allowPrivilegeEscalation !== false,
        runAsNonRoot: (own.runAsNonRoot ?? context.runAsNonRoot) !== true,
        'runAsUser 0': (own.runAsUser ?? context.runAsUser) === 0,
        'capabilities kept': !(own.capabilities?.drop ?? []).includes('ALL'),
        'capabilities added': add.some((name) => name !== 'NET_BIND_SERVICE'),
        seccompProfile: !['RuntimeDefault', 'Localhost'].includes(seccomp?.type ?? ''),
        hostPort: (container.ports ?? []).some(({ hostPort }) => hostPort !== undefined),
        'host of a probe': probes.some(hasHost),
      };
      return Object.keys(rules)
        .filter((rule) => rules[rule])
        .map((rule) => `${container.name}: ${rule}`);
    }),
  ];
}

function hasHost(probe: Probe | undefined): boolean {
  return probe?.httpGet?.host !== undefined || probe?.tcpSocket?.host !== undefined;
}
