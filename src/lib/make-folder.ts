import { mkdir } from 'node:fs/promises';

/**
 * Creates a folder and the missing ones above it, all with this mode as far as the umask allows. Nothing happens when it
 * exists. Like `mkdir` with `recursive`, which however reports a full disk as ENOENT, as if a folder were missing.
 */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  const options = mode === undefined ? {} : { mode };
  try {
    await mkdir(path, { ...options, recursive: true });
  } catch (error) {
    const { code, path: failed } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' || failed === undefined) throw error;
    // Without `recursive` the reason is named.
    await mkdir(failed, options).catch((reason: NodeJS.ErrnoException) => {
      if (reason.code !== 'EEXIST') throw reason;
    });
    await mkdir(path, { ...options, recursive: true });
  }
}
