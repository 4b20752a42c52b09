import { hash } from '../lib/hash.ts';
import { manifestAnnotation } from '../lib/labels.ts';
import type { Step } from '../plan/plan.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';

/** An object as Kubernetes defines it. */
export interface ClusterObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

export interface ManifestsDeps {
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

/** Objects that belong to no chart are applied. Each has the hash of its manifest as an annotation, which shows a change. */
export function applyManifests({ kubectl, title, objects, namespace }: ManifestsDeps): ManifestsStep {
  const marked = objects.map((object) => {
    const digest = hash(object);
    return { ...object, metadata: { ...object.metadata, annotations: { [manifestAnnotation]: digest } } };
  });
  const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  const path = `metadata.annotations.${manifestAnnotation.replaceAll('.', '\\.')}`;

  return {
    title,
    objects: marked,
    async isDone({ signal }) {
      // kubectl prints one object by itself, and several as a list.
      const template = `--output=jsonpath={.${path}}{"\\n"}{range .items[*]}{.${path}}{"\\n"}{end}`;
      const where = namespace === undefined ? [] : [`--namespace=${namespace}`];
      const found = await kubectl.run(['get', ...names, ...where, '--ignore-not-found', template], signal);
      const digests = new Set(found.split('\n'));
      return (
        marked.every(({ metadata }) => digests.has(metadata.annotations[manifestAnnotation] ?? '')) &&
        'unchanged'
      );
    },
    async apply({ signal }) {
      await kubectl.apply(marked.map((object) => JSON.stringify(object)).join('\n---\n'), signal);
    },
  };
}
