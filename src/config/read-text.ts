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
  const path = join(checkout, file);
  const stats = await absentAsUndefined(lstat(path));
  if (!stats) return undefined;
  if (stats.isSymbolicLink()) refuse(file, 'got a symbolic link, expected a regular file');
  // Asked before opening: opening a FIFO or a device can hang or act on it.
  if (!stats.isFile()) refuse(file, 'got something that is not a file, expected a regular file');
  if (!isInside(await realpath(checkout), await realpath(dirname(path)))) {
    refuse(file, 'got a file outside the checkout, expected one inside it');
  }

  const bytes = await readBytes(path, file);
  const text = bytes && decode(bytes, file);
  if (text !== undefined) refuseControls(text, file);
  return text;
}

async function readBytes(path: string, file: string): Promise<Buffer | undefined> {
  // The file may have been replaced since it was looked at.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await absentAsUndefined(openReadable(path, flags, file));
  if (!handle) return undefined;
  try {
    if (!(await handle.stat()).isFile())
      refuse(file, 'got something that is not a file, expected a regular file');
    const buffer = Buffer.alloc(largest + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) break;
    }
    if (length > largest) refuse(file, 'got more than 256 KB, expected a configuration of at most 256 KB');
    return buffer.subarray(0, length);
  } finally {
    await handle.close();
  }
}

async function openReadable(path: string, flags: number, file: string): Promise<FileHandle> {
  try {
    return await open(path, flags);
  } catch (error) {
    if (hasCode(error, 'EACCES')) refuse(file, 'got a file that you may not read, expected a readable one');
    if (hasCode(error, 'ELOOP')) refuse(file, 'got a symbolic link, expected a regular file');
    throw error;
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

async function absentAsUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
