import { exitCodes, Failure } from '../lib/failure.ts';
import type { Run } from '../plan/plan.ts';
import type { Exec } from './exec.ts';

export interface Kind {
  /** Creates the cluster of a configuration and writes `kubeconfig`; leaves what is there when it does not succeed. */
  create(config: string, options: { kubeconfig: string; run: Run }): Promise<void>;
  /** The kubeconfig text of a running cluster. */
  kubeconfig(name: string, signal: AbortSignal): Promise<string>;
}

export interface KindOptions {
  /** Path of the program. */
  readonly program: string;
  /** Names the engine. */
  readonly env: Readonly<Record<string, string>>;
}

export function createKind(exec: Exec, { program, env }: KindOptions): Kind {
  return {
    async create(config, { kubeconfig, run: { signal, report } }) {
      const args = ['create', 'cluster', '--config=-', `--kubeconfig=${kubeconfig}`, '--retain'];
      try {
        await exec(program, args, { input: config, env, signal, onLine: (line) => report(plain(line)) });
      } catch (cause) {
        signal.throwIfAborted();
        throw new Failure('kind did not create the cluster', {
          cause,
          hint: 'npm run doctor',
          exitCode: exitCodes.cluster,
        });
      }
    },

    async kubeconfig(name, signal) {
      return (await exec(program, ['get', 'kubeconfig', `--name=${name}`], { env, signal })).stdout;
    },
  };
}

/** kind decorates its lines for a terminal. */
function plain(line: string): string {
  return line.replace(/[^\x20-\x7e]/g, '').trim();
}
