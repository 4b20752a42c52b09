import { gzipSync } from 'node:zlib';
import { stringify } from 'yaml';
import type { Manifest } from '../../src/diff/manifest.ts';

/** The Secret in which Helm stores a deployed release with these manifests. */
export function toHelmRecord(release: string, manifests: readonly Manifest[]): object {
  const manifest = manifests.map((each) => stringify(each)).join('---\n');
  const packed = gzipSync(JSON.stringify({ name: release, manifest })).toString('base64');
  return {
    metadata: { labels: { owner: 'helm', name: release, status: 'deployed' } },
    data: { release: Buffer.from(packed).toString('base64') },
  };
}
