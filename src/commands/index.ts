import type { Commands } from './command.ts';

/** Every command, in the order of the help. A script of the same name in package.json makes it `npm run <name>`. */
export const commands: Commands = {
  doctor: {
    summary: 'check the machine, the engine, the ports, the disk and the network, each with its fix',
    load: () => import('./doctor.ts'),
  },
  kubectl: {
    summary: 'run kubectl against our cluster',
    load: () => import('./kubectl.ts'),
  },
  completion: {
    summary: "print a shell's definition of the command wealist, with completion",
    load: () => import('./completion.ts'),
  },
};
