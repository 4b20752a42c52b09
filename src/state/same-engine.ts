import { exitCodes, Failure } from '../lib/failure.ts';
import { toShellWord } from '../lib/shell-word.ts';
import type { EngineRecord } from './engine-record.ts';

/** An engine that is recorded for a cluster, and the file with the record. */
export interface RecordedEngine {
  readonly file: string;
  readonly engine: EngineRecord | undefined;
}

/**
 * Refuses a cluster that does not exist in this engine and was created in another one, which may still run it: two
 * databases on one data folder destroy it.
 * @throws {Failure} exit code 9 that names both engines and the ways to go on.
 */
export function requireSameEngine(
  cluster: string,
  current: EngineRecord,
  recorded: readonly RecordedEngine[],
): void {
  const others = recorded.filter(({ engine }) => engine !== undefined && engine.id !== current.id);
  const other = others[0]?.engine;
  if (!other) return;
  const forget = `if that engine no longer exists: rm ${others.map(({ file }) => toShellWord(file)).join(' ')}`;
  // At the same socket, the recorded engine cannot be reached any more.
  const away =
    other.socket === current.socket
      ? 'npm run up, which asks whether it was replaced; or '
      : `DOCKER_HOST=${toShellWord(`unix://${other.socket}`)} npm run down; or `;
  throw new Failure(
    `cluster ${cluster} was created in the container engine ${describe(other)}, and the current one is ${describe(current)}`,
    {
      cause: 'in both engines its databases would use the same data folder',
      hint: `${away}npm run up -- --name ${cluster}-2; or, ${forget}`,
      exitCode: exitCodes.refused,
    },
  );
}

function describe({ id, socket }: EngineRecord): string {
  return `${id} at ${socket}`;
}
