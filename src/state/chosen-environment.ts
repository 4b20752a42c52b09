import { join } from 'node:path';
import { readOrSetAside, writeFileAtomically } from './atomic-file.ts';
import type { Paths } from './paths.ts';

/** The environment of a checkout in which none was chosen. */
export const defaultEnvironment = 'local-kind';

/** The name of the environment that this checkout works with. A damaged record is set aside as `.bad`. */
export async function findChosenEnvironment(paths: Pick<Paths, 'state'>): Promise<string> {
  const chosen = await readOrSetAside(toFile(paths), (text) => {
    const { version, name }: { version?: unknown; name?: unknown } = JSON.parse(text);
    if (version !== 1 || typeof name !== 'string') throw new Error('no choice of an environment');
    return name;
  });
  return chosen ?? defaultEnvironment;
}

/** Makes it the environment of this checkout. The caller has checked that it exists. */
export async function chooseEnvironment(paths: Pick<Paths, 'state'>, name: string): Promise<void> {
  await writeFileAtomically(toFile(paths), `${JSON.stringify({ version: 1, name })}\n`);
}

function toFile({ state }: Pick<Paths, 'state'>): string {
  return join(state, 'environment.json');
}
