import { up } from '../actions.ts';
import { toClock } from '../format.ts';
import { connection, isReadOnly, state } from '../store.ts';
import { Command } from './copy.tsx';

/** What is in the way of a current picture. It lies over the end of the page, so that nothing moves. */
export function Banner() {
  const found = findMessage();
  return (
    <div class={found ? 'banner' : 'banner hidden'} role="alert">
      {found}
    </div>
  );
}

function findMessage() {
  const { cluster, environment } = state.value ?? {};
  const asOf = cluster?.asOf === undefined ? '' : ` What is shown is as of ${toClock(cluster.asOf)}.`;
  switch (connection.value) {
    case 'ended':
      return (
        <p>
          <strong>The dashboard has ended.</strong>
          {asOf} This page tries again every second. <Command line="npm run dashboard" />
        </p>
      );
    case 'other-version':
      return (
        <p>
          <strong>The program is of another version than this page.</strong>{' '}
          <button type="button" onClick={() => location.reload()}>
            Load the page again
          </button>
        </p>
      );
    case 'no-token':
      return (
        <p>
          <strong>This tab has no token.</strong> Open the address that this command prints:{' '}
          <Command line="npm run dashboard" />
        </p>
      );
    case 'connecting':
      return undefined;
  }
  if (cluster === undefined || cluster.state === 'running' || cluster.state === 'loading') return undefined;
  const canStart = !isReadOnly.value && ['missing', 'stopped', 'paused'].includes(cluster.state);
  return (
    <p>
      <strong>{toWords(cluster.name, cluster.state)}</strong>
      {cluster.evidence === undefined ? '' : ` ${cluster.evidence}.`}
      {asOf} {cluster.next !== undefined && <Command line={cluster.next} />}{' '}
      {canStart && environment !== undefined && (
        <button type="button" class="small" onClick={up}>
          Run it
        </button>
      )}
    </p>
  );
}

function toWords(name: string, found: string): string {
  const words: Readonly<Record<string, string>> = {
    silent: `The API server of ${name} does not respond.`,
    stopped: `Cluster ${name} is stopped.`,
    paused: `Cluster ${name} is paused.`,
    missing: `Cluster ${name} does not exist yet.`,
  };
  return words[found] ?? 'The state of the cluster is unknown: no container engine responds.';
}
