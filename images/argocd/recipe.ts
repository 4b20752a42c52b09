import { join } from 'node:path';
import type { Recipe } from '../../src/images/build/recipe.ts';
import { versions } from '../../src/tools/versions.ts';
import { path, shell, users } from '../debian-parts.ts';
import { argocdModule, argocdVersion } from './release.ts';

/**
 * The components of Argo CD that sync, with the programs that they call: git, helm, tini. Its web interface is not a Go
 * module, so the API server, which serves it, is left out.
 */
export const recipe: Recipe = {
  minutes: 8,
  async build({ debianRoot, goProgram, layer, image }) {
    const argocd = await goProgram({
      module: join(import.meta.dirname, 'build'),
      package: './argocd',
      ldflags: `-X ${argocdModule.path}/common.version=${argocdVersion}`,
    });
    const helm = await goProgram({ package: 'helm.sh/helm/v3/cmd/helm', version: `v${versions.helm}` });
    const root = await debianRoot(
      {
        suite: 'trixie',
        variant: 'extract',
        packages: ['base-files', 'busybox-static', 'ca-certificates', 'git', 'tini'],
      },
      // The Perl parts of git are not used.
      ['usr/share/perl', 'usr/lib/x86_64-linux-gnu/perl', 'usr/lib/aarch64-linux-gnu/perl'],
    );
    const programs = await layer([
      ...users({ name: 'argocd', id: 999 }),
      ...shell,
      { path: 'tmp', mode: 0o1777, folder: true },
      { path: 'usr/local/bin/argocd', file: argocd },
      // One program, which selects the component by the name it is started with.
      ...['argocd-application-controller', 'argocd-repo-server'].map((name) => ({
        path: `usr/local/bin/${name}`,
        link: 'argocd',
      })),
      { path: 'usr/local/bin/helm', file: helm },
    ]);
    return image([root, programs], { Entrypoint: ['tini', '--'], Env: [path], User: '999:999' });
  },
};
