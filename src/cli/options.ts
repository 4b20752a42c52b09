import type { Argument, Option } from './command.ts';

/** What a plan of the platform is about. */
export const selectedServices = {
  value: 'service',
  summary: 'only these, with what they need; all when none is named',
  many: true,
  complete: 'services',
} as const satisfies Argument;

/** Options that mean the same in several commands. */
export const yes = {
  short: 'y',
  summary: 'agree beforehand to what would be asked',
} as const satisfies Option;

export const name = {
  value: 'cluster',
  summary: 'name of the cluster, in place of the one in the environment',
} as const satisfies Option;

export const nodes = {
  value: 'types',
  summary: 'worker nodes beside the control plane, such as app,db; one node without it',
} as const satisfies Option;

export const environment = {
  value: 'environment',
  summary: 'this environment, in place of the one that is chosen',
  complete: 'environments',
} as const satisfies Option;

export const dryRun = {
  summary: 'show what would be done and why, change nothing',
} as const satisfies Option;

/** Options of every command; `app.ts` gives them their meaning. */
export const globalOptions = {
  json: { summary: 'print the result as JSON' },
  quiet: { short: 'q', summary: 'print the result and failures only' },
  verbose: { short: 'v', summary: 'print what the tools print' },
  noColor: { summary: 'print without colours' },
} as const satisfies Record<string, Option>;

/** `dryRun` → `--dry-run`. */
export function toFlag(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** What an option takes away: `noFollow` → `follow`; undefined for one that adds. */
export function findNegated(key: string): string | undefined {
  const [, first, rest] = /^no([A-Z])(.*)$/.exec(key) ?? [];
  return first === undefined ? undefined : `${first.toLowerCase()}${rest}`;
}
