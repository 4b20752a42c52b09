import { join } from 'node:path';
import type { App } from '../../src/cli/command.ts';
import type { Environment } from '../../src/config/schema.ts';
import { exec } from '../../src/tools/exec.ts';
import { createScreen, type Screen } from './screen.ts';

export const environment: Environment = {
  name: 'local-kind',
  namespace: 'wealist-kind-local',
  cluster: { name: 'wealist', httpPort: 80, httpsPort: 443 },
  ingress: { controller: 'traefik' },
  with: [],
  argocd: { services: [] },
  registry: { pull: 'auto' },
  buildCache: '20Gi',
  services: {
    'auth-service': {
      port: 8080,
      route: 'auth',
      needs: ['redis'],
      standIn: 'services/auth-service',
      build: 'auto',
      live: [],
    },
    frontend: { port: 80, needs: ['auth-service'], standIn: 'services/frontend', build: 'auto', live: [] },
  },
};

type AppOptions = Parameters<typeof createScreen>[0] & {
  readonly state: string;
  readonly signal?: AbortSignal;
};

/** An app for commands that only read the cluster, with the kubectl of the state folder. */
export function makeApp({ state, signal, ...screen }: AppOptions): Screen & { readonly app: App } {
  const refuse = () => {
    throw new Error('this command changes nothing');
  };
  const { ui, ...shown } = createScreen(screen);
  const app: App = {
    paths: {
      checkout: join(import.meta.dirname, '../..'),
      state,
      cache: join(state, 'cache'),
      data: join(state, 'data'),
    },
    signal: signal ?? new AbortController().signal,
    exec,
    ui,
    commands: {},
    environment: async () => environment,
    exclusively: refuse,
    recordRun: refuse,
    runPlan: refuse,
    previewPlan: refuse,
    confirmChanges: refuse,
    confirm: refuse,
    choose: refuse,
    confirmLoss: refuse,
  };
  return { app, ui, ...shown };
}
