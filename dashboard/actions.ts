import type { TaskView } from '../src/dashboard/dashboard-state.ts';
import type { Message } from '../src/dashboard/protocol.ts';
import { announce } from './announce.ts';
import { send, start } from './connection.ts';
import { findHindrance, findRunningTask } from './store.ts';

export type Answer = Extract<Message, { type: 'answer' }>;

/** Says how a command ended: only exit code 0 is done. */
function report(what: string, { exitCode, error }: Answer): void {
  if (exitCode === 0) announce(`${what}: done`);
  else announce(`${what}: exit code ${exitCode}${error === undefined ? '' : `, ${error.message}`}`);
}

export function reload(service: string): void {
  if (findHindrance() !== undefined || findRunningTask(service, 'reload')) return;
  announce(`reload ${service}: started`);
  void start({ action: 'reload', services: [service] }).then((answer) => report(`reload ${service}`, answer));
}

/** Runs `up`, which asks nothing here: what it would have to ask for, it refuses. */
export function up(): void {
  announce('up: started');
  void start({ action: 'up' }).then((answer) => report('up', answer));
}

/** Starts `reload --watch` for a service, or ends what this dashboard has started. */
export function setWatch(service: string, running: TaskView | undefined): void {
  if (running) {
    send({ type: 'stop', task: running.id });
    announce(`watch ${service}: ended`);
    return;
  }
  if (findHindrance() !== undefined) return;
  announce(`watch ${service}: started`);
  void start({ action: 'watch', services: [service] }).then((answer) => {
    if (answer.exitCode !== 130 && answer.exitCode !== 143) report(`watch ${service}`, answer);
  });
}
