import { readFile } from 'node:fs/promises';
import type { Step } from '../plan/plan.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';
import { applyManifests } from './apply-manifests.ts';

export interface SecretDeps {
  readonly kubectl: Kubectl;
  readonly namespace: string;
  readonly name: string;
  /** The values file of secrets; undefined before it exists. */
  readonly file: string | undefined;
}

/** A Secret that a chart expects to exist is created from `shared.secrets` of the values file of secrets. */
export function applySecret({ kubectl, namespace, name, file }: SecretDeps): Step {
  const title = `Secret ${name} in ${namespace}`;

  async function prepare(path: string): Promise<Step> {
    const values = JSON.parse(await readFile(path, 'utf8')).shared.secrets as Readonly<
      Record<string, string>
    >;
    const data = Object.entries(values).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    const labels = { 'app.kubernetes.io/managed-by': 'wealist-local' };
    const secret = {
      ...{ apiVersion: 'v1', kind: 'Secret', type: 'Opaque' },
      metadata: { name, namespace, labels },
      data: Object.fromEntries(data),
    };
    return applyManifests({ kubectl, title, namespace, objects: [secret] });
  }

  return {
    title,
    async isDone(run) {
      return (file !== undefined && (await (await prepare(file)).isDone?.(run))) || false;
    },
    async apply(run) {
      if (file === undefined) throw new Error('a plan is run without a values file of secrets');
      await (await prepare(file)).apply(run);
    },
  };
}
