import type { Argument, Option } from './command.ts';

/** The services that a command plans for. */
export const selectedServices = {
  value: 'service',
  summary: 'only these services and what they need (default: all)',
  many: true,
  complete: 'services',
} as const satisfies Argument;

/** Options that mean the same in several commands. */
export const yes = {
  short: 'y',
  summary: 'confirm all prompts in advance',
} as const satisfies Option;

export const name = {
  value: 'cluster',
  summary: 'name of the cluster (default: the one in the environment)',
} as const satisfies Option;

export const nodes = {
  value: 'types',
  summary: 'worker nodes in addition to the control plane, such as app,db (default: a single node)',
} as const satisfies Option;

export const environment = {
  value: 'environment',
  summary: 'environment to use (default: the chosen one)',
  complete: 'environments',
} as const satisfies Option;

export const dryRun = {
  summary: 'show what would be done and why, without changing anything',
} as const satisfies Option;

/** Options of every command; `main.ts` applies them. */
export const globalOptions = {
  json: { summary: 'print the result as JSON' },
  quiet: { short: 'q', summary: 'print only the result and failures' },
  verbose: { short: 'v', summary: 'also print the output of the tools' },
  noColor: { summary: 'print without colours' },
} as const satisfies Record<string, Option>;

/** `dryRun` → `--dry-run`. */
export function toFlag(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The option that this one negates: `noFollow` → `follow`; undefined for other options. */
export function findNegated(key: string): string | undefined {
  const [, first, rest] = /^no([A-Z])(.*)$/.exec(key) ?? [];
  return first === undefined ? undefined : `${first.toLowerCase()}${rest}`;
}
