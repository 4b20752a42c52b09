import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { argocdModule, definitions, definitionsFolder } from '../../images/argocd/release.ts';
import type { Store } from '../images/store/store.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import type { Run, Step } from '../plan/plan.ts';
import { downloadFile, requireChecksum } from '../tools/download.ts';
import type { Go } from '../tools/go.ts';

export interface DefinitionsDeps {
  readonly store: Store;
  readonly go: Pick<Go, 'downloadModule'>;
  /** A replacement of `downloadFile`, for tests. */
  readonly download?: typeof downloadFile;
}

/** The store's key of Argo CD's resource definitions. */
export const definitionsKey = `argocd-definitions-${argocdModule.version}`;

const published = `https://raw.githubusercontent.com/argoproj/argo-cd/${argocdModule.version}`;

/** Argo CD's resource definitions are in the store: downloaded from its repository, else taken from its Go module. */
export function ensureDefinitions({ store, go, download = downloadFile }: DefinitionsDeps): Step {
  async function obtain(run: Run): Promise<readonly Buffer[]> {
    try {
      run.report(`downloading them from ${new URL(published).host}`);
      return await Promise.all(
        definitions.map(({ file, sha256 }) =>
          download(`${published}/${definitionsFolder}/${file}`, sha256, run.signal),
        ),
      );
    } catch (error) {
      run.signal.throwIfAborted();
      // After a wrong checksum no other source is tried.
      if (!(error instanceof Failure) || error.exitCode === exitCodes.refused) throw error;
      const folder = join(await go.downloadModule(argocdModule, run), definitionsFolder);
      return Promise.all(
        definitions.map(async ({ file, sha256 }) => {
          const content = await readFile(join(folder, file));
          requireChecksum(`${argocdModule.path} ${argocdModule.version} ${file}`, content, sha256);
          return content;
        }),
      );
    }
  }

  return {
    title: "Argo CD's resource definitions",
    async isDone() {
      return (await store.findFile(definitionsKey)) !== undefined && 'in the cache';
    },
    async apply(run) {
      const files = await obtain(run);
      await store.putFile(definitionsKey, (path) => writeFile(path, files.join('\n---\n')));
    },
  };
}
