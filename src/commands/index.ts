import type { Command } from './command.ts';

/** A command in the list: enough for the help; the rest is loaded when it is called for. */
export interface Entry {
  readonly summary: string;
  load(): Promise<{ readonly command: Command }>;
}

/** Every command, in the order of the help. A script of the same name in package.json makes it `npm run <name>`. */
export const commands: Readonly<Record<string, Entry>> = {
  kubectl: {
    summary: 'run kubectl against our cluster',
    load: () => import('./kubectl.ts'),
  },
  completion: {
    summary: "print the shell's completion",
    load: () => import('./completion.ts'),
  },
};
