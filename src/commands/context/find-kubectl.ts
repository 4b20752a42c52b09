import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { App } from '../../cli/command.ts';

/** The kubectl that `up` or `env trust` has obtained, else the one on PATH. */
export async function findKubectl({ paths }: Pick<App, 'paths'>): Promise<string> {
  const ours = join(paths.state, 'bin/kubectl');
  return access(ours).then(
    () => ours,
    () => 'kubectl',
  );
}
