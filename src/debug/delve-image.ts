import type { Workshop } from '../images/build/workshop.ts';
import { toBuiltReference } from '../images/built-reference.ts';
import type { NamedImage } from '../images/store/archive.ts';

/** Path of Delve in its image. */
export const dlvPath = '/dlv';

const delve = { package: 'github.com/go-delve/delve/cmd/dlv', version: 'v1.27.2' };

/** An image with Delve and nothing else, built once and cached. @throws {Failure} exit code 3 without Go. */
export async function buildDelveImage({
  goProgram,
  layer,
  image,
}: Pick<Workshop, 'goProgram' | 'layer' | 'image'>): Promise<NamedImage> {
  const program = await goProgram(delve);
  const built = image([await layer([{ path: dlvPath.slice(1), file: program }])], {
    Entrypoint: [dlvPath],
    Env: ['PATH=/', 'HOME=/'],
  });
  return { reference: toBuiltReference('delve', built), image: built };
}
