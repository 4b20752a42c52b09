import type { Commands } from '../cli/command.ts';

/** All commands, in the order of the help. A script of the same name in package.json makes it `npm run <name>`. */
export const commands: Commands = {
  up: {
    summary: 'create or update the cluster, infrastructure and services, and wait until they respond',
    load: () => import('./up.ts'),
  },
  down: {
    summary: 'remove the cluster, keep the data',
    load: () => import('./down.ts'),
  },
  reload: {
    summary: 'build, load and roll out services, and verify that the new code runs',
    load: () => import('./reload.ts'),
  },
  intercept: {
    summary: 'run a service as a program of this machine, the others stay in the cluster',
    load: () => import('./intercept.ts'),
  },
  debug: {
    summary: 'attach a debugger to a service that stays in the cluster',
    load: () => import('./debug.ts'),
  },
  logs: {
    summary: 'follow the merged logs of services and data stores across restarts and new pods',
    load: () => import('./logs.ts'),
  },
  forward: {
    summary: 'forward fixed ports of this machine to services, postgres, redis and s3',
    load: () => import('./forward.ts'),
  },
  status: {
    summary: 'show the state and addresses of the cluster, its services and data stores',
    load: () => import('./status.ts'),
  },
  why: {
    summary: 'explain why something is not ready or does not respond, and what to run next',
    load: () => import('./why.ts'),
  },
  times: {
    summary: 'show how long each step of the last runs took, and what has become slower',
    load: () => import('./times.ts'),
  },
  dashboard: {
    summary: 'serve a page on 127.0.0.1 that shows services, causes, logs, needs and runs as they change',
    load: () => import('./dashboard.ts'),
  },
  env: {
    summary: 'choose or list environments and their clusters, trust a remote cluster',
    load: () => import('./env.ts'),
  },
  plan: {
    summary: 'show what would be deployed, and what would change on a reachable cluster',
    load: () => import('./plan.ts'),
  },
  doctor: {
    summary: 'check the machine, container engine, ports, disk and network, with a fix for each problem',
    load: () => import('./doctor.ts'),
  },
  images: {
    summary: 'list the images and where they come from; build or prune them',
    load: () => import('./images.ts'),
  },
  shell: {
    summary: 'open a shell or run a command in the pod of a service or data store',
    load: () => import('./shell.ts'),
  },
  db: {
    summary: "open psql in a service's database; save, restore or reset databases",
    load: () => import('./db.ts'),
  },
  kubectl: {
    summary: 'run kubectl against the cluster of this checkout',
    load: () => import('./kubectl.ts'),
  },
  mcp: {
    summary: 'serve status, why, logs, reload and others to coding agents over MCP',
    load: () => import('./mcp.ts'),
  },
  completion: {
    summary: 'print a shell function wealist with completion',
    load: () => import('./completion.ts'),
  },
};
