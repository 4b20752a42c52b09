import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { defineCommand } from '../cli/command.ts';
import { CommandFailure, exitCodes, Failure } from '../lib/failure.ts';
import { defaultEnvironment, findChosenEnvironment } from '../state/chosen-environment.ts';
import { kubectlFailures } from '../tools/kubernetes/kubectl.ts';
import { requireWritable } from './context/environment.ts';

export const command = defineCommand({
  description:
    'Runs kubectl with these arguments against the cluster of this checkout, independent of ~/.kube/config.',
  arguments: {
    words: { value: 'argument', summary: 'passed on as they are', many: true },
  },
  examples: [
    'npm run kubectl -- get pods -A',
    'npm run kubectl -- -n wealist-kind-local logs deploy/auth-service',
  ],
  passThrough: true,

  async run(app, { words }) {
    const { paths, exec, signal } = app;
    // The environment is loaded only if another one was chosen, so that kubectl works even when its files are invalid.
    if ((await findChosenEnvironment(paths)) !== defaultEnvironment) {
      requireWritable(app, await app.environment(), 'kubectl');
    }
    const kubeconfig = join(paths.state, 'kubeconfig');
    await requireCluster(kubeconfig);
    // The kubectl that `up` has installed comes first.
    const path = [join(paths.state, 'bin'), process.env.PATH].join(delimiter);
    try {
      const env = { KUBECONFIG: kubeconfig, PATH: path };
      await exec('kubectl', words, { env, inherit: true, signal, failures: kubectlFailures });
      return 0;
    } catch (error) {
      // kubectl has printed why.
      if (error instanceof CommandFailure && error.status !== undefined) return error.status;
      throw error;
    }
  },
});

/** Without a kubeconfig, kubectl would connect to port 8080 of this machine. */
async function requireCluster(kubeconfig: string): Promise<void> {
  await access(kubeconfig).catch(() => {
    throw new Failure('no cluster has been created yet', { hint: 'npm run up', exitCode: exitCodes.cluster });
  });
}
