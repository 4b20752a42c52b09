import type { ServicePlace } from '../diagnosis/service-snapshot.ts';
import type { LiveSource } from '../images/source/live-source.ts';
import { CommandFailure, exitCodes, Failure } from '../lib/failure.ts';
import type { Nodes } from '../tools/docker/nodes.ts';

export interface ChangedContainer {
  readonly nodes: Pick<Nodes, 'execInContainer' | 'restartProgram'>;
  readonly node: string;
  readonly pod: string;
  /** ID by which containerd knows the container. */
  readonly container: string;
  readonly place: ServicePlace;
  readonly onOutput: (line: string) => void;
}

/**
 * Does what `then` names for the folders that have changed: each command once, in order, and at last a restart of the
 * program. Resolves to false when the container's program cannot be restarted without a new image.
 * @throws {Failure} exit code 7 when a command fails: the files stay in the container, and the next save runs it again.
 */
export async function followUp(
  { nodes, node, pod, container, place, onOutput }: ChangedContainer,
  folders: LiveSource['folders'],
  signal: AbortSignal,
): Promise<boolean> {
  const reactions = folders.map(({ then }) => then);
  const commands = reactions.flatMap((then) => (typeof then === 'object' ? [then.exec] : []));
  const distinct = new Map(commands.map((command) => [JSON.stringify(command), command]));
  for (const command of distinct.values()) await run(command);
  return !reactions.includes('restart') || nodes.restartProgram(node, container, signal);

  async function run(command: readonly string[]): Promise<void> {
    try {
      await nodes.execInContainer(node, container, command, { signal, onLine: onOutput });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CommandFailure)) throw error;
      throw new Failure(
        `${place.name}: ${command.join(' ')} failed in pod ${pod}: exit code ${error.status ?? 'unknown'}`,
        {
          cause: error.stderr,
          hint: `the files are in the container: correct them or then: in env/local.yaml, and save`,
          exitCode: exitCodes.image,
        },
      );
    }
  }
}
