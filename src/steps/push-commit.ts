import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Step } from '../plan/plan.ts';
import type { Git } from '../tools/git.ts';
import type { GitServer } from '../tools/git-server.ts';

export interface PushDeps {
  readonly git: Git;
  readonly server: GitServer;
}

/** The folders of a commit that are pushed to Argo CD's Git server. */
export const syncedFolders = ['argocd', 'helm'] as const;

/** Fails before anything is changed when the checkout has no commit to sync. */
export function requireCommit(git: Git): Step {
  return {
    title: 'commit to sync',
    async isDone({ signal }) {
      const { commit, subject } = await git.readHead(syncedFolders, signal);
      return `${commit.slice(0, 7)} ${subject}`;
    },
    apply: async () => {},
  };
}

/** The Git server that Argo CD syncs from has the charts as committed in this checkout. */
export function pushCommit({ git, server }: PushDeps): Step {
  return {
    title: 'committed charts in the Git server',
    async isDone({ signal }) {
      const { trees, commit } = await git.readHead(syncedFolders, signal);
      return (await server.has(trees, signal)) && `as of ${commit.slice(0, 7)}`;
    },
    async apply({ signal, report }) {
      const { commit, subject, trees } = await git.readHead(syncedFolders, signal);
      const folder = await mkdtemp(join(tmpdir(), 'wealist-pack-'));
      try {
        const pack = await git.writePack(Object.values(trees), folder, signal);
        report(`sending ${commit.slice(0, 7)} ${subject}`);
        await server.receive({ message: `${subject}\n\nFrom ${commit}`, trees, pack }, signal);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}
