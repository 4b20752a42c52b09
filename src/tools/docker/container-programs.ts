import { z } from 'zod';
import type { DockerCli } from './cli.ts';

/** What runs a program, as far as its debuggers differ. */
const runtimes = ['node', 'jvm', 'go', 'other'] as const;

const Program = z.object({
  /** PID on the node, and in its container. */
  nodePid: z.coerce.number().int(),
  pid: z.coerce.number().int(),
  /** Numbers of its user and its group. */
  user: z.coerce.number().int(),
  group: z.coerce.number().int(),
  /** Whether it listens on the port that was asked for. */
  listens: z.stringbool(),
  runtime: z.enum(runtimes),
  /** Its working folder and its executable, in the container. */
  folder: z.string(),
  executable: z.string(),
});

/** A running process of a container. */
export type ContainerProgram = Readonly<z.infer<typeof Program>>;

export interface ContainerPrograms {
  readonly programs: readonly ContainerProgram[];
  /** Yama's restriction of debuggers (`kernel.yama.ptrace_scope`); 0 where the kernel has none. */
  readonly ptraceScope: number;
}

/**
 * Takes the ID of a container and a port; prints one line per process of the container. `/proc/PID/net/tcp` names the socket
 * that listens on the port (state 0A), `/proc/PID/fd` the process that has it. A Go program contains its build information.
 */
const listScript = `set -e
first=$(ctr --namespace=k8s.io tasks list | while read -r id pid state; do [ "$id" != "$1" ] || echo "$pid"; done)
[ "$first" ] || { echo "container $1 does not run" >&2; exit 1; }
port=$(printf ':%04X' "$2")
sockets=$(cat "/proc/$first/net/tcp" "/proc/$first/net/tcp6" 2>/dev/null |
  while read -r _ local _ state _ _ _ _ _ inode _; do
    case $local$state in *"$port"0A) printf 'socket:[%s] ' "$inode" ;; esac
  done)
echo "scope $(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null || echo 0)"
ctr --namespace=k8s.io tasks ps "$1" | while read -r pid _; do
  executable=$(readlink "/proc/$pid/exe" 2>/dev/null) || continue
  listens=no
  for each in $sockets; do
    case "$(ls -l "/proc/$pid/fd" 2>/dev/null) " in *" $each"[!0-9]*) listens=yes ;; esac
  done
  case \${executable##*/} in
    node|nodejs) runtime=node ;;
    java) runtime=jvm ;;
    *) if grep -qaF 'Go buildinf:' "/proc/$pid/exe"; then runtime=go; else runtime=other; fi ;;
  esac
  inside=$(sed -n 's/^NSpid:.*[[:space:]]\\([0-9]*\\)$/\\1/p' "/proc/$pid/status")
  user=$(sed -n 's/^Uid:[[:space:]]*\\([0-9]*\\).*/\\1/p' "/proc/$pid/status")
  group=$(sed -n 's/^Gid:[[:space:]]*\\([0-9]*\\).*/\\1/p' "/proc/$pid/status")
  printf 'program\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\n' \\
    "$pid" "$inside" "$user" "$group" "$listens" "$runtime" "$(readlink "/proc/$pid/cwd")" "$executable"
done`;

/** The running processes of a container. @throws {CommandFailure} when it does not run. */
export async function listPrograms(
  docker: Pick<DockerCli, 'exec'>,
  node: string,
  { container, port }: { readonly container: string; readonly port: number },
  signal: AbortSignal,
): Promise<ContainerPrograms> {
  const argv = ['sh', '-c', listScript, 'sh', container, String(port)];
  const { stdout } = await docker.exec(node, argv, { signal });
  const lines = stdout.split('\n').map((line) => line.split('\t'));
  const scope = lines.find(([word = '']) => word.startsWith('scope '))?.[0]?.slice('scope '.length);
  return {
    ptraceScope: Number(scope),
    programs: lines
      .filter(([word]) => word === 'program')
      .map(([, nodePid, pid, user, group, listens, runtime, folder, executable]) =>
        Program.parse({ nodePid, pid, user, group, listens, runtime, folder, executable }),
      ),
  };
}

/**
 * Takes the PID of a Node.js process and the port of its inspector. USR1 would end a process without a handler for it (bit 9
 * of SigCgt in proc(5)), which Node.js has unless it was started with --disable-sigusr1.
 */
const inspectorScript = `port=$(printf ':%04X' "$2")
listens() { cat "/proc/$1/net/tcp" "/proc/$1/net/tcp6" 2>/dev/null | grep -q "$port [0-9A-F:]* 0A "; }
if listens "$1"; then echo open; exit; fi
caught=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$1/status")
[ "$caught" ] || { echo "process $1 has ended" >&2; exit 1; }
[ $((0x$caught & 512)) != 0 ] || { echo refused; exit; }
kill -USR1 "$1"
tries=0
until listens "$1"; do
  tries=$((tries + 1))
  [ $tries != 100 ] || { echo refused; exit; }
  sleep 0.05
done
echo opened`;

/**
 * Switches the inspector of a Node.js process on, on the loopback of its pod. `open`: it was on already. `refused`: the program
 * handles the signal itself, or was started with --disable-sigusr1.
 */
export async function openInspector(
  docker: Pick<DockerCli, 'exec'>,
  node: string,
  { nodePid, port }: { readonly nodePid: number; readonly port: number },
  signal: AbortSignal,
): Promise<'open' | 'opened' | 'refused'> {
  const argv = ['sh', '-c', inspectorScript, 'sh', String(nodePid), String(port)];
  const { stdout } = await docker.exec(node, argv, { signal });
  return z.enum(['open', 'opened', 'refused']).parse(stdout.trim());
}
