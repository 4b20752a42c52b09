import { HttpError } from './http-error.ts';
import type { Request } from './route.ts';

const jsonLimit = 64 * 1024;

/**
 * The whole body of a request.
 * @param limit bytes; @throws {HttpError} 413 when the body is longer.
 */
export async function readBody({ message }: Request, limit: number): Promise<Buffer> {
  const tooLarge = () => {
    // The rest is read and dropped: a connection closed under its writer takes the reply with it.
    message.resume();
    return new HttpError(413, `the body is larger than ${limit} bytes`);
  };
  if (Number(message.headers['content-length'] ?? 0) > limit) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop early must not destroy the connection that carries the reply.
  for await (const chunk of message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The fields of a JSON object. @throws {HttpError} 400 when the body is anything else. */
export async function readJson(request: Request): Promise<Readonly<Record<string, unknown>>> {
  return parseObject((await readBody(request, jsonLimit)).toString('utf8'));
}

/** @throws {HttpError} 400 when `source` is not a JSON object. */
export function parseObject(source: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    throw new HttpError(400, 'the body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new HttpError(400, 'the body is not a JSON object');
  return { ...value };
}

/** A field that must be a string of 1 to 1000 characters. @throws {HttpError} 400 otherwise. */
export function toText(fields: Readonly<Record<string, unknown>>, key: string): string {
  const value = fields[key];
  if (typeof value === 'string' && value.trim() !== '' && value.length <= 1_000) return value;
  throw new HttpError(400, `"${key}" is not a text of 1 to 1000 characters`);
}

/** A part of a path that must be the number of a row. @throws {HttpError} 404 otherwise. */
export function toId(value: string | undefined): number {
  const id = Number(value);
  if (value !== undefined && /^\d+$/.test(value) && id >= 1 && id <= 2_147_483_647) return id;
  throw new HttpError(404, `no row ${value}`);
}
