import type { z } from 'zod';
import { parse } from './parse.ts';
import { ConfigFailure } from './problems.ts';
import { readText } from './read-text.ts';
import { validate } from './validate.ts';

export interface LoadFileOptions<T> {
  /** Absolute. */
  readonly checkout: string;
  /** Relative to the checkout. */
  readonly file: string;
  /** Its messages complete "got X, expected …". */
  readonly schema: z.ZodType<T>;
}

/**
 * Reads one YAML file of the checkout and validates it.
 * @throws {ConfigFailure} with all its problems, each with its place.
 */
export async function loadFile<T>({ checkout, file, schema }: LoadFileOptions<T>): Promise<T> {
  const text = await readText(checkout, file);
  if (text === undefined)
    throw new ConfigFailure([{ place: { file }, path: [], text: 'missing, expected a file' }]);
  const { value, problems } = validate(parse(text, file), schema);
  if (value === undefined) throw new ConfigFailure(problems);
  return value;
}
