import { hash } from '../lib/hash.ts';
import { manifestAnnotation } from '../lib/labels.ts';
import type { Step } from '../plan/plan.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';
import { type DeletionOptions, waitUntilDeleted } from './wait-for-deletion.ts';

/** An object as Kubernetes defines it. */
export interface ClusterObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

export interface ManifestsDeps extends Omit<DeletionOptions, 'kubectl'> {
  readonly kubectl: Kubectl;
  readonly title: string;
  readonly objects: readonly ClusterObject[];
  /** Namespace of the namespaced objects. */
  readonly namespace?: string;
}

/** A step that applies objects of no chart, and holds them so that `plan` can show them. */
export interface ManifestsStep extends Step {
  readonly objects: readonly ClusterObject[];
}

/** Whether a step applies objects of no chart. */
export function isManifestsStep(step: Step): step is ManifestsStep {
  return 'objects' in step;
}

/**
 * Objects that belong to no chart are applied. Each has the hash of its manifest as an annotation, which shows a change.
 * Namespaces that someone is deleting are created again once they are gone: until then nothing can be created in them, and
 * what is still there looks ready.
 */
export function applyManifests({
  kubectl,
  title,
  objects,
  namespace,
  ...waiting
}: ManifestsDeps): ManifestsStep {
  const marked = objects.map((object) => {
    const digest = hash(object);
    return { ...object, metadata: { ...object.metadata, annotations: { [manifestAnnotation]: digest } } };
  });
  const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  const fields = [
    '.kind',
    '.metadata.name',
    `.metadata.annotations.${manifestAnnotation.replaceAll('.', '\\.')}`,
    '.metadata.deletionTimestamp',
  ];
  const row = `${fields.map((field) => `{${field}}`).join('{"\\t"}')}{"\\n"}`;

  async function find(signal: AbortSignal) {
    // kubectl prints one object by itself, and several as a list.
    const template = `--output=jsonpath=${row}{range .items[*]}${row}{end}`;
    const where = namespace === undefined ? [] : [`--namespace=${namespace}`];
    const found = await kubectl.run(['get', ...names, ...where, '--ignore-not-found', template], signal);
    return found.split('\n').map((line) => {
      const [kind, name = '', digest, deleted = ''] = line.split('\t');
      return { kind, name, digest, isBeingDeleted: deleted !== '' };
    });
  }

  return {
    title,
    objects: marked,
    async isDone({ signal }) {
      const found = await find(signal);
      const digests = new Set(found.map(({ digest }) => digest));
      const isCurrent = marked.every(({ metadata }) => digests.has(metadata.annotations[manifestAnnotation]));
      return isCurrent && !found.some(({ isBeingDeleted }) => isBeingDeleted) && 'unchanged';
    },
    async apply(run) {
      const found = await find(run.signal);
      const leaving = found.filter(({ kind, isBeingDeleted }) => kind === 'Namespace' && isBeingDeleted);
      await Promise.all(leaving.map(({ name }) => waitUntilDeleted(name, { kubectl, ...waiting }, run)));
      await kubectl.apply(marked.map((object) => JSON.stringify(object)).join('\n---\n'), run.signal);
    },
  };
}
