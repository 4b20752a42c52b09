import { constants } from 'node:fs';
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isInside } from './folders.ts';
import { ConfigFailure, type Place, placeAt } from './problems.ts';

/** Bytes. Ours are below 3 KB; what is larger is not a configuration. */
const largest = 256 * 1024;

/**
 * The text of a file of the checkout, read once and at most 256 KB of it; undefined when there is none.
 * @throws {ConfigFailure} when it is anything but a regular file inside the checkout that holds UTF-8 text.
 */
export async function readText(checkout: string, file: string): Promise<string | undefined> {
  const bytes = await readBytes(checkout, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    if (error.code === 'EACCES' || error.code === 'EPERM') {
      refuse(file, 'got a file that you may not read, expected a readable one');
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
  // Asked before opening: opening a FIFO or a device can hang or act on it.
  const stats = await lstat(path);
  if (stats.isSymbolicLink()) refuse(file, 'got a symbolic link, expected a regular file');
  if (!stats.isFile()) refuse(file, 'got something that is not a file, expected a regular file');
  if (!isInside(await realpath(checkout), await realpath(dirname(path)))) {
    refuse(file, 'got a file outside the checkout, expected one inside it');
  }
  // It may have been replaced since, so that opening it neither follows a link nor waits.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile())
      refuse(file, 'got something that is not a file, expected a regular file');
    return await readAtMost(handle, file);
  } finally {
    await handle.close();
  }
}

/** Its size may lie, and may grow: what counts is what can be read. */
async function readAtMost(handle: FileHandle, file: string): Promise<Buffer> {
  const buffer = Buffer.alloc(largest + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
    length += bytesRead;
    if (length > largest) refuse(file, 'got more than 256 KB, expected a configuration of at most 256 KB');
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

/** The place of the first byte that is no UTF-8, found by what a lenient decoder could not keep. */
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

/** Control characters other than tab and line ends: YAML forbids them, the parser reads some (NUL) all the same. */
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
