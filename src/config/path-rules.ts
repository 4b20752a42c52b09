import { isAbsolute, normalize } from 'node:path';
import { z } from 'zod';

/** A path in a file of env/. A program would read a leading `-` as a flag. */
export function path(rule: string) {
  return z
    .string(rule)
    .min(1, rule)
    .max(4096, rule)
    .refine(
      (text) => !/^[~$-]/.test(text),
      'a path without ~, $ or - at its start: ~ and variables are not expanded',
    )
    .refine((text) => !/\p{Cc}/u.test(text), 'a path without control characters');
}

/** A path below the folder that it is relative to; links are checked elsewhere. */
export function pathBelow(rule: string) {
  return path(rule).refine((text) => !isAbsolute(text) && !/^\.\.(\/|$)/.test(normalize(text)), rule);
}
