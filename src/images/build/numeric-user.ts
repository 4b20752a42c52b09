import { exitCodes, Failure } from '../../lib/failure.ts';
import type { ContainerConfig, Image } from '../../lib/oci.ts';
import type { Store } from '../store/store.ts';
import { readTar } from '../store/tar.ts';

/** The user of the charts' pods (`podSecurityContext` in wealist-common), for an image that names none or root. */
const defaultUser = '10001:10001';

/**
 * The image with a number in place of its user's name, as `<user>:<group>`: the kubelet starts no container whose user
 * may be root, and cannot look a name up. One that would run as root runs as `defaultUser`.
 * @throws {Failure} exit code 7 when the image has no such user or group.
 */
export async function withNumericUser(image: Image, store: Pick<Store, 'openBlob'>): Promise<Image> {
  const { config = {}, ...rest } = JSON.parse(image.config) as { config?: ContainerConfig };
  const [user = '', group = ''] = (config.User ?? '').split(':');
  if (/^0*[1-9][0-9]*$/.test(user)) return image;
  const number = await toNumbers(image, store, user, group);
  return { ...image, config: JSON.stringify({ ...rest, config: { ...config, User: number } }) };
}

async function toNumbers(
  image: Image,
  store: Pick<Store, 'openBlob'>,
  user: string,
  group: string,
): Promise<string> {
  if (isRoot(user)) return defaultUser;
  const [, , uid = '', primary = ''] = await findAccount(image, store, 'etc/passwd', user);
  if (isRoot(uid)) return defaultUser;
  if (group === '') return `${uid}:${primary}`;
  const gid = /^[0-9]+$/.test(group) ? group : (await findAccount(image, store, 'etc/group', group))[2];
  return `${uid}:${gid}`;
}

function isRoot(user: string): boolean {
  return user === '' || user === 'root' || /^0+$/.test(user);
}

/** The fields of a user or group (passwd(5), group(5)). */
async function findAccount(
  image: Image,
  store: Pick<Store, 'openBlob'>,
  file: string,
  name: string,
): Promise<readonly string[]> {
  const text = await readImageFile(image, store, file);
  const found = text
    ?.split('\n')
    .map((line) => line.split(':'))
    .find(([first]) => first === name);
  if (found) return found;
  throw new Failure(`the image runs as ${name}, which is not in its /${file}`, {
    hint: 'create it in the Dockerfile, or name its number: USER 1000',
    exitCode: exitCodes.image,
  });
}

/** The text of a file as a container sees it: the upper layer's goes first. Undefined when no layer has it. */
async function readImageFile(
  { layers }: Image,
  store: Pick<Store, 'openBlob'>,
  path: string,
): Promise<string | undefined> {
  for (const { digest } of layers.toReversed()) {
    for await (const entry of readTar(store.openBlob(digest))) {
      if (entry.header.name.replace(/^\.?\//, '') === path && entry.header.type !== 'symlink') {
        const chunks: Buffer[] = [];
        for await (const chunk of entry) chunks.push(chunk as Buffer);
        return Buffer.concat(chunks).toString();
      }
      entry.resume();
    }
  }
  return undefined;
}
