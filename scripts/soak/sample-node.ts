import type { Checkout } from '../../test/e2e/checkout.ts';
import { docker, nodeOf } from '../../test/e2e/cluster.ts';

/** Values by the names of `metrics`. */
export type Values = Readonly<Record<string, number>>;

/** Prints one value a line. What a process that has just ended had counts for nothing. */
const script = `export LC_ALL=C
say() { echo "$1 $2"; }
kilobytes() { du -skcx "$@" 2>/dev/null | tail -n 1 | cut -f 1; }
total=0
for each in $(grep -hs ^RssAnon: /proc/[0-9]*/status | tr -dc '0-9\\n'); do total=$((total + each)); done
say nodeMemory $((total * 1024))
say nodeProcesses "$(ls -d /proc/[0-9]* | wc -l)"
say nodeFiles "$(find /proc/[0-9]*/fd -type l 2>/dev/null | wc -l)"
say nodeSockets "$(find /proc/[0-9]*/fd -lname 'socket:*' 2>/dev/null | wc -l)"
say nodeMounts "$(wc -l < /proc/mounts)"
say nodeCgroups "$(find /sys/fs/cgroup -type d 2>/dev/null | wc -l)"
say nodeInterfaces "$(ls /sys/class/net | wc -l)"
say nodeIptables "$(iptables-save | grep -c ^-A)"
if command -v nft >/dev/null; then say nodeNft "$(nft list ruleset | wc -l)"; fi
say nodeImages "$(ctr --namespace=k8s.io images list --quiet | wc -l)"
say nodeContainerd $(($(kilobytes /var/lib/containerd) * 1024))
say nodeEtcd "$(stat -c %s /var/lib/etcd/member/snap/db)"
say nodeLogs $(($(kilobytes /var/log /run/log) * 1024))
say volumes $(($(kilobytes /var/local-path-provisioner) * 1024))`;

/** Samples what the processes on the node take. */
export async function sampleNode({ name }: Checkout): Promise<Values> {
  const lines = await docker('exec', nodeOf(name), 'sh', '-c', script);
  const output = await docker('logs', nodeOf(name));
  return { ...parseValues(lines), nodeOutput: output.join('\n').length };
}

/** `name value` lines. @throws {Error} with a line that is none, since a figure that is always 0 would never grow. */
export function parseValues(lines: readonly string[]): Values {
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^(\w+) (\d+)$/.exec(line) ?? [];
      if (name === undefined) throw new Error(`not a value: ${JSON.stringify(line)}`);
      return [name, Number(value)];
    }),
  );
}
