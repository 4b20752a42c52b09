import { readFile } from 'node:fs/promises';
import { argocdVersion, definitions } from '../../images/argocd/release.ts';
import type { Store } from '../images/store/store.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { argocdVersionLabel } from '../lib/labels.ts';
import type { Step } from '../plan/plan.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';
import { definitionsKey } from './ensure-definitions.ts';

/** Argo CD's CustomResourceDefinitions are established in the cluster, so that objects of them can be created. */
export function applyDefinitions({
  kubectl,
  store,
}: {
  readonly kubectl: Kubectl;
  readonly store: Store;
}): Step {
  const names = definitions.map(({ name }) => `crd/${name}`);

  return {
    title: 'resource definitions of Argo CD',
    async isDone({ signal }) {
      const path = argocdVersionLabel.replaceAll('.', '\\.');
      const output = `--output=jsonpath={range .items[*]}{.metadata.labels.${path}} {.status.conditions[?(@.type=="Established")].status}{"\\n"}{end}`;
      const found = (await kubectl.run(['get', ...names, '--ignore-not-found', output], signal)).split('\n');
      const wanted = found.filter((line) => line === `${argocdVersion} True`);
      return wanted.length === names.length && 'unchanged';
    },
    async apply({ signal, report }) {
      const file = await store.findFile(definitionsKey);
      if (file === undefined) {
        throw new Failure("Argo CD's resource definitions are not in the cache", {
          hint: 'npm run up -- --with argocd',
          exitCode: exitCodes.image,
        });
      }
      await kubectl.apply(await readFile(file, 'utf8'), signal);
      await kubectl.run(['label', ...names, '--overwrite', `${argocdVersionLabel}=${argocdVersion}`], signal);
      report('waiting until they are established');
      await kubectl.run(['wait', '--for=condition=Established', '--timeout=15s', ...names], signal);
    },
  };
}
