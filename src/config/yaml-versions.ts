import { parse } from 'yaml';
import { quote } from './problems.ts';

/** A text that may be something else in YAML 1.1: parsing each scalar once more would double the time of a file. */
const isSuspect = /^(?:y|yes|n|no|on|off)$|^[-+]?0[0-9bo_]|^[-+]?[0-9.][0-9a-f._]*[_:]/i;

/**
 * What is wrong with a value without quotes that YAML 1.1 reads as something else than YAML 1.2 does, such as NO, 1_000
 * or 0777; undefined for all others. Helm and Argo CD read YAML 1.1, this tool YAML 1.2.
 * @param isSecret whether the text must not contain the value
 */
export function findVersionProblem(
  source: string,
  value: unknown,
  { isSecret }: { readonly isSecret: boolean },
): string | undefined {
  if (!isSuspect.test(source)) return undefined;
  const other: unknown = parse(source, { version: '1.1', logLevel: 'silent' });
  // Helm leaves dates as the texts that they are.
  if (Object.is(other, value) || other instanceof Date) return undefined;
  if (isSecret) return 'got a text that YAML 1.1 reads as another value, expected it in quotes';
  return `got ${source}, which YAML 1.1 reads as ${other}, expected ${other} or ${quote(source)} (text: in quotes)`;
}
