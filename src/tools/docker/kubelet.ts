import type { DockerCli } from './cli.ts';

/** How often systemd has restarted the unit, its state and the same after 5 s, and the end of its journal. */
const script = `systemctl show kubelet --property=NRestarts
sleep 5
systemctl show kubelet --property=ActiveState,NRestarts
echo
journalctl --unit=kubelet --no-pager --output=cat --lines=300`;

/**
 * Why the kubelet of a node does not keep running, in its own words; undefined when it runs or says nothing.
 * @throws {CommandFailure} when the node does not run.
 */
export async function readKubeletError(
  docker: Pick<DockerCli, 'exec'>,
  node: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { stdout } = await docker.exec(node, ['sh', '-c', script], { signal });
  return findKubeletError(stdout);
}

/** The output of the script: `NRestarts=…` twice, `ActiveState=…`, an empty line, the journal. */
export function findKubeletError(output: string): string | undefined {
  const end = output.indexOf('\n\n');
  const properties = output.slice(0, end).split('\n');
  const isActive = properties.includes('ActiveState=active');
  const restarts = new Set(properties.filter((line) => line.startsWith('NRestarts=')));
  // Between two restarts it is active as well.
  if (isActive && restarts.size === 1) return undefined;
  const journal = output.slice(end + 2).split('\n');
  const fatal = journal.findLast((line) => fatalError.test(line));
  if (fatal !== undefined) return unquote(fatalError.exec(fatal)?.[1] ?? '');
  const errors = journal.filter((line) => errorLine.test(line)).slice(-3);
  return errors.length === 0 ? undefined : errors.map((line) => line.replace(errorLine, '')).join('\n');
}

/** The kubelet's last words: `E1130 02:41:11.123456 1234 run.go:72] "command failed" err="…"`. */
const fatalError = /"command failed" err=("(?:[^"\\]|\\.)*")/;
/** A message of severity error or fatal, by its prefix. */
const errorLine = /^[EF]\d{4} [\d:.]+\s+\d+ \S+\] /;

/** Go quotes as JSON does, apart from rare escapes. */
function unquote(text: string): string {
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(1, -1);
  }
}
