import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from '../../src/tools/exec.ts';
import type { Kubectl } from '../../src/tools/kubernetes/kubectl.ts';

const scripts = join(import.meta.dirname, '../../helm/charts/wealist-argocd/scripts');

/** The pod of the Git server: commands of `kubectl exec` run locally, on a bare repository in this folder. */
export async function createGitPod(folder: string): Promise<Kubectl> {
  const env = { GIT_DIR: join(folder, 'wealist.git'), HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
  const [init = ''] = (await readFile(join(scripts, 'serve.sh'), 'utf8')).match(/^git init.*$/m) ?? [];
  await exec('sh', ['-c', init], { env });
  const refuse = async () => {
    throw new Error('the fake supports only kubectl exec');
  };
  return {
    command: ['kubectl'],
    getJson: refuse,
    logs: refuse,
    apply: refuse,
    async run(args, signal, input) {
      const [program = '', ...words] = args.slice(args.indexOf('--') + 1);
      const inPlace = words.map((word) => word.replace(/^\/scripts/, scripts));
      const options = { env, cwd: folder, signal, ...(input === undefined ? {} : { input }) };
      return (await exec(program, inPlace, options)).stdout;
    },
  };
}
