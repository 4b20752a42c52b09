import { constants } from 'node:fs';
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isInside } from './folders.ts';
import { ConfigFailure, type Place, placeAt } from './problems.ts';

/** Our own files are below 3 KB. */
const maxBytes = 256 * 1024;

/**
 * The text of a file of the checkout, of at most 256 KB; undefined when the file does not exist.
 * @throws {ConfigFailure} when it is anything but a regular file inside the checkout that holds UTF-8 text.
 */
export async function readText(checkout: string, file: string): Promise<string | undefined> {
  const bytes = await readBytes(checkout, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    if (error.code === 'EACCES' || error.code === 'EPERM') {
      refuse(file, 'got a file without read permission, expected a readable one');
    }
    throw error;
  });
  if (bytes === undefined) return undefined;
  const text = decode(bytes, file);
  refuseControls(text, file);
  return text;
}

async function readBytes(checkout: string, file: string): Promise<Buffer> {
  const path = join(checkout, file);
  // Checked before opening: opening a FIFO or a device can hang or have an effect.
  const stats = await lstat(path);
  if (stats.isSymbolicLink()) refuse(file, 'got a symbolic link, expected a regular file');
  if (!stats.isFile()) refuse(file, 'got something that is not a file, expected a regular file');
  if (!isInside(await realpath(checkout), await realpath(dirname(path)))) {
    refuse(file, 'got a file outside the checkout, expected one inside it');
  }
  // The file may have been replaced since the check, so open must neither follow a link nor wait.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile())
      refuse(file, 'got something that is not a file, expected a regular file');
    return await readAtMost(handle, file);
  } finally {
    await handle.close();
  }
}

/** Does not rely on the size of the file, which may be wrong or grow. */
async function readAtMost(handle: FileHandle, file: string): Promise<Buffer> {
  const buffer = Buffer.alloc(maxBytes + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
    length += bytesRead;
    if (length > maxBytes) refuse(file, 'got more than 256 KB, expected a configuration of at most 256 KB');
    if (bytesRead === 0) return buffer.subarray(0, length);
  }
}

function decode(bytes: Buffer, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    refuse(
      findBadByte(bytes, file),
      'got bytes that are not UTF-8, expected UTF-8 text: save the file as UTF-8',
    );
  }
}

/** The place of the first byte that is not UTF-8: where a lenient decoder puts a replacement character. */
function findBadByte(bytes: Buffer, file: string): Place {
  const text = bytes.toString('utf8');
  let offset = text.indexOf('\ufffd');
  while (offset !== -1) {
    const start = Buffer.byteLength(text.slice(0, offset));
    const isGenuine = bytes.subarray(start, start + 3).equals(Buffer.from('\ufffd'));
    if (!isGenuine) break;
    offset = text.indexOf('\ufffd', offset + 1);
  }
  return placeAt(file, text, Math.max(offset, 0));
}

/** Refuses control characters other than tab and line ends: YAML forbids them, but the parser accepts some (NUL). */
function refuseControls(text: string, file: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  const offset = text.search(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)/);
  if (offset === -1) return;
  const place = placeAt(file, text, offset);
  if (text[offset] === '\r') {
    refuse(place, 'got a carriage return alone, expected lines that end with LF or CRLF');
  }
  if (text[offset] === '\0') refuse(place, 'got a NUL, expected UTF-8 text: save the file as UTF-8');
  const code = text.charCodeAt(offset).toString(16);
  refuse(place, `got the control character \\u{${code}}, expected text`);
}

function refuse(place: Place | string, text: string): never {
  throw new ConfigFailure([{ place: typeof place === 'string' ? { file: place } : place, path: [], text }]);
}
