import { createHash } from 'node:crypto';
import { CommandFailure } from '../lib/failure.ts';
import type { Step } from '../lib/plan.ts';
import type { Kubectl } from '../tools/kubectl.ts';

export interface ManifestParts {
  readonly kubectl: Kubectl;
  readonly title: string;
  /** `namespace/wealist-kind-local`: the object that stands for the manifest. */
  readonly object: string;
  /** The manifest of that object: Kubernetes's JSON. */
  readonly manifest: { readonly metadata: object };
}

const annotation = 'wealist.local/manifest';

/** An object of the cluster that no chart owns: it is there, as this manifest has it. */
export function applyManifest({ kubectl, title, object, manifest }: ManifestParts): Step {
  const digest = createHash('sha256').update(JSON.stringify(manifest)).digest('hex').slice(0, 16);
  return {
    title,
    async isDone({ signal }) {
      try {
        const escaped = annotation.replaceAll('.', '\\.');
        const found = await kubectl.run(
          ['get', object, `--output=jsonpath={.metadata.annotations.${escaped}}`],
          signal,
        );
        return found === digest && 'unchanged';
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof CommandFailure && error.stderr.includes('NotFound')) return false;
        throw error;
      }
    },
    async apply({ signal }) {
      const metadata = { ...manifest.metadata, annotations: { [annotation]: digest } };
      await kubectl.apply(JSON.stringify({ ...manifest, metadata }), signal);
    },
  };
}
