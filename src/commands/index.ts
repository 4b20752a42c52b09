import type { Commands } from '../cli/command.ts';

/** Every command, in the order of the help. A script of the same name in package.json makes it `npm run <name>`. */
export const commands: Commands = {
  up: {
    summary: 'make it so: cluster, infrastructure and services, ready and answering',
    load: () => import('./up.ts'),
  },
  down: {
    summary: 'remove the cluster, keep the data',
    load: () => import('./down.ts'),
  },
  reload: {
    summary: 'build, load and roll out services, and prove that the new code runs',
    load: () => import('./reload.ts'),
  },
  logs: {
    summary: 'the merged logs of services and data stores, followed through restarts and new pods',
    load: () => import('./logs.ts'),
  },
  forward: {
    summary: 'services, postgres, redis and s3 on fixed ports of this machine',
    load: () => import('./forward.ts'),
  },
  status: {
    summary: 'how the cluster, its services and their data stores are, and where they answer',
    load: () => import('./status.ts'),
  },
  why: {
    summary: 'why something is not ready or does not answer: the causes, and the next command',
    load: () => import('./why.ts'),
  },
  env: {
    summary: 'choose the environment, see what is behind each, trust the cluster of one',
    load: () => import('./env.ts'),
  },
  plan: {
    summary: 'what would be deployed, and where a cluster can be asked, each field that would change',
    load: () => import('./plan.ts'),
  },
  doctor: {
    summary: 'check the machine, the engine, the ports, the disk and the network, each with its fix',
    load: () => import('./doctor.ts'),
  },
  images: {
    summary: 'list the images: needed, present, where they come from; build or prune them',
    load: () => import('./images.ts'),
  },
  shell: {
    summary: 'a shell, or one command, in the pod of a service or data store',
    load: () => import('./shell.ts'),
  },
  db: {
    summary: "psql in a service's database; save, restore and reset the databases",
    load: () => import('./db.ts'),
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
