import { HttpError } from './http-error.ts';
import type { Request } from './route.ts';

const maxJsonBytes = 64 * 1024;

/**
 * Reads the whole body of a request.
 * @throws {HttpError} 413 when the body is longer.
 */
export async function readBody({ message }: Request, maxBytes: number): Promise<Buffer> {
  const tooLarge = () => {
    // The rest is read and discarded, because closing the connection earlier would lose the reply.
    message.resume();
    return new HttpError(413, `the body is larger than ${maxBytes} bytes`);
  };
  if (Number(message.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  // The connection is still needed for the reply when the loop ends early.
  for await (const chunk of message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The fields of a JSON object. @throws {HttpError} 400 when the body is anything else. */
export async function readJson(request: Request): Promise<Readonly<Record<string, unknown>>> {
  return parseObject((await readBody(request, maxJsonBytes)).toString('utf8'));
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
  throw new HttpError(400, `"${key}" is not a string of 1 to 1000 characters`);
}

/** Parses the ID of a row. @throws {HttpError} 404 when it is invalid. */
export function toId(value: string | undefined): number {
  const id = Number(value);
  if (value !== undefined && /^\d+$/.test(value) && id >= 1 && id <= 2_147_483_647) return id;
  throw new HttpError(404, `row ${value} not found`);
}
