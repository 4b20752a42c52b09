import { PassThrough } from 'node:stream';
import type { DockerCli } from './cli.ts';

export interface HoldStartsOptions {
  /** Namespace and names of the containers in Kubernetes. */
  readonly namespace: string;
  readonly names: readonly string[];
  readonly signal: AbortSignal;
  /** A container has started and is held; resolves when it may go on. `id` is that of containerd. */
  readonly onStart: (name: string, id: string) => Promise<void>;
}

/** Milliseconds in which the node's program ends after its input. */
const endTimeout = 5_000;

/**
 * Holds each container of these names that starts on a node, before its program has done much: its processes are frozen
 * until `onStart` resolves, 3 s at most, and also when this process or the node's program ends. Resolves when the
 * signal is aborted. @throws {CommandFailure} when the node stops.
 */
export async function holdStarts(
  docker: Pick<DockerCli, 'exec'>,
  node: string,
  { namespace, names, signal, onStart }: HoldStartsOptions,
): Promise<void> {
  const input = new PassThrough();
  // The end of its input ends the program, which first lets go of what it holds.
  const over = new AbortController();
  const end = () => {
    input.end();
    setTimeout(() => over.abort(signal.reason), endTimeout).unref();
  };
  signal.addEventListener('abort', end);
  const onLine = (line: string) => {
    const [word, name = '', id = ''] = line.split(' ');
    if (word !== 'held') return;
    const release = () => {
      if (input.writable) input.write(`${id}\n`);
    };
    onStart(name, id).then(release, release);
  };
  try {
    const argv = ['sh', '-c', holdScript, 'sh', namespace, ...names];
    // Not with the signal itself, which would end the docker client and leave the node's program behind.
    await docker.exec(node, argv, { input, onLine, signal: over.signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', end);
    input.destroy();
  }
}

/**
 * Takes the namespace and the names; prints `held NAME ID`, and lets a container go whose ID is a line of its input. The
 * runtime reports a container's creation a tenth of a second before the start of its process, in which its labels are read.
 */
const holdScript = `namespace=$1; shift
names=" $* "
known=$(mktemp -d)
c="ctr --namespace=k8s.io"
release() { if rm "$known/$1.held" 2>/dev/null; then $c tasks resume "$1"; fi; }
label() { sed -n 's/.*"io.kubernetes.'"$1"'": "\\([^"]*\\)".*/\\1/p' "$known/info" | head -n 1; }
mkfifo "$known/events"
$c events >"$known/events" & events=$!
finish() {
  trap - EXIT
  trap '' TERM
  kill "$events" 2>/dev/null
  for each in "$known"/*.held; do each=\${each##*/}; release "\${each%.held}"; done
  rm -rf "$known"
}
trap finish EXIT
trap 'exit 1' TERM HUP
{
  while read -r day time zone utc space topic event; do
    case $topic in
      /containers/create)
        id=\${event#*'"id":"'}; id=\${id%%'"'*}
        $c containers info "$id" >"$known/info" 2>/dev/null || continue
        name=$(label container.name)
        case $names in *" $name "*) ;; *) continue ;; esac
        if [ "$(label pod.namespace)" = "$namespace" ]; then echo "$name" >"$known/$id"; fi ;;
      /tasks/start)
        id=\${event#*'"container_id":"'}; id=\${id%%'"'*}
        [ -e "$known/$id" ] || continue
        name=$(cat "$known/$id"); rm "$known/$id"
        : >"$known/$id.held"
        if ! $c tasks pause "$id"; then rm "$known/$id.held"; continue; fi
        echo "held $name $id"
        (sleep 3; release "$id") >/dev/null 2>&1 & ;;
    esac
  done
  kill $$
} <"$known/events" &
echo watching
while read -r id; do release "$id"; done`;
