interface Hint {
  readonly tool: string;
  readonly pattern: RegExp;
  readonly hint: string;
}

/** What a tool's own message means for the person, tried in order. */
const hints: readonly Hint[] = [
  {
    tool: 'docker',
    pattern: /permission denied while trying to connect to the Docker daemon socket/,
    hint: 'sudo usermod -aG docker "$USER", then log in again',
  },
  {
    tool: 'docker',
    pattern: /Cannot connect to the Docker daemon/,
    hint: 'npm run doctor -- --fix',
  },
  {
    tool: 'docker',
    pattern: /no space left on device/,
    hint: 'npm run images -- prune',
  },
  {
    tool: 'apt-get',
    pattern: /dpkg was interrupted/,
    hint: 'sudo dpkg --configure -a',
  },
  {
    tool: 'apt-get',
    pattern: /Could not get lock|Unable to acquire the dpkg frontend lock/,
    hint: 'sudo fuser --verbose /var/lib/dpkg/lock-frontend',
  },
  {
    tool: 'apt-get',
    pattern: /Unable to locate package/,
    hint: 'sudo add-apt-repository universe',
  },
  {
    tool: 'apt-get',
    pattern: /Temporary failure resolving|Could not resolve|Could not connect|Failed to fetch/,
    hint: 'npm run doctor',
  },
  {
    tool: 'dockerd',
    pattern: /iptables.*(?:nf_tables|nft|Could not fetch rule set|RULE_APPEND failed)/,
    hint: 'sudo update-alternatives --set iptables /usr/sbin/iptables-legacy',
  },
  {
    tool: 'dockerd',
    pattern: /Devices cgroup isn't mounted/,
    hint: 'sudo apt-get install --yes cgroupfs-mount && sudo cgroupfs-mount',
  },
  {
    tool: 'dockerd',
    pattern: /driver not supported|failed to mount overlay/,
    hint: 'set "storage-driver": "vfs" in /etc/docker/daemon.json',
  },
];

/** The hint for what `program` printed; undefined when it is no known error. */
export function findHint(program: string, stderr: string): string | undefined {
  const tool = program.split('/').at(-1);
  return hints.find((hint) => hint.tool === tool && hint.pattern.test(stderr))?.hint;
}
