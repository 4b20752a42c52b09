import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { defineCommand } from '../cli/command.ts';
import { CommandFailure, exitCodes, Failure } from '../lib/failure.ts';
import { defaultEnvironment, findChosenEnvironment } from '../state/chosen-environment.ts';
import { kubectlFailures } from '../tools/kubernetes/kubectl.ts';
import { requireWritable } from './context/guard.ts';

export const command = defineCommand({
  summary: 'run kubectl against our cluster, whatever ~/.kube/config says',
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
    // Only another choice is looked into: kubectl has to work whatever is wrong with the files.
    if ((await findChosenEnvironment(paths)) !== defaultEnvironment) {
      requireWritable(app, await app.environment(), 'kubectl');
    }
    const kubeconfig = join(paths.state, 'kubeconfig');
    await requireCluster(kubeconfig);
    // Ours first, where `up` had to get one.
    const path = [join(paths.state, 'bin'), process.env.PATH].join(delimiter);
    try {
      const env = { KUBECONFIG: kubeconfig, PATH: path };
      await exec('kubectl', words, { env, inherit: true, signal, failures: kubectlFailures });
      return 0;
    } catch (error) {
      // kubectl has said why on the terminal it was given.
      if (error instanceof CommandFailure && error.status !== undefined) return error.status;
      throw error;
    }
  },
});

/** Without a kubeconfig kubectl asks whatever listens on port 8080. */
async function requireCluster(kubeconfig: string): Promise<void> {
  await access(kubeconfig).catch(() => {
    throw new Failure('there is no cluster yet', { hint: 'npm run up', exitCode: exitCodes.cluster });
  });
}
