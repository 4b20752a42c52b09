import { hash } from '../lib/hash.ts';
import { manifestAnnotation } from '../lib/labels.ts';
import type { Step } from '../plan/plan.ts';
import type { Kubectl } from '../tools/kubernetes/kubectl.ts';

/** An object in Kubernetes's own form, of the whole cluster or of `namespace`. */
export interface ClusterObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

export interface ManifestsDeps {
  readonly kubectl: Kubectl;
  readonly title: string;
  readonly objects: readonly ClusterObject[];
  /** Of those objects that are in one. */
  readonly namespace?: string;
}

/** A step that applies objects of no chart, with these: `plan` shows the same. */
export interface ManifestsStep extends Step {
  readonly objects: readonly ClusterObject[];
}

export function isManifestsStep(step: Step): step is ManifestsStep {
  return 'objects' in step;
}

/** Objects that no chart owns are there as given. Each carries the hash of its manifest, by which a change is known. */
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
      // Of one object kubectl gives that, of several a list.
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
