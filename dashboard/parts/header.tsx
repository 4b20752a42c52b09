import { announced } from '../announce.ts';
import { toAgo, toClock, toCount } from '../format.ts';
import { isHelpOpen } from '../keys-help.ts';
import { type PageName, page, pageNames, toWhyPath } from '../route.ts';
import { connection, counts, isCurrent, now, state } from '../store.ts';
import { Mark, type Tone } from './shape.tsx';

const clusterTones: Readonly<Record<string, Tone>> = {
  ...{ running: 'good', silent: 'failed', stopped: 'absent', paused: 'waiting', missing: 'absent' },
};

const clusterWords: Readonly<Record<string, string>> = {
  loading: 'is being asked',
  running: 'is running',
  silent: 'does not respond',
  stopped: 'is stopped',
  paused: 'is paused',
  missing: 'does not exist',
  unknown: 'is in an unknown state',
};

/** The instrument panel: what is true of everything, always at the same place. */
export function Header() {
  const shown = state.value;
  const { cluster, environment, causes } = shown ?? {};
  const word = connection.value === 'open' ? (cluster?.state ?? 'loading') : 'unknown';
  const { ready, all, stale } = counts.value;
  const [first] = causes?.list ?? [];
  return (
    <header class="top">
      <div class="panel">
        <div class="gauge is-cluster">
          <span class="label">
            {environment === undefined
              ? 'cluster'
              : `${environment.name}${environment.readOnly ? ', read-only' : ''}`}
          </span>
          <span class="value">
            <Mark tone={clusterTones[word] ?? 'unknown'}>
              {cluster?.name ?? 'cluster'} {clusterWords[word]}
            </Mark>
          </span>
        </div>
        <div class="gauge">
          <span class="label">ready</span>
          <span class="value number">
            {isCurrent.value ? ready : '–'}
            <span class="faint"> of {all}</span>
          </span>
        </div>
        <div class="gauge">
          <span class="label">stale</span>
          <span class={`value number ${isCurrent.value && stale > 0 ? 'is-stale' : ''}`}>
            {isCurrent.value ? stale : '–'}
          </span>
        </div>
        <div class="gauge is-lock">
          <span class="label">lock</span>
          <span class="value cut" title={shown?.lock && `PID ${shown.lock.pid}`}>
            {shown?.lock ? (
              <>
                {shown.lock.command.replace(/^npm run /, '')}{' '}
                <span class="faint">{toAgo(shown.lock.since, now.value)}</span>
              </>
            ) : (
              <span class="faint">free</span>
            )}
          </span>
        </div>
        <div class="gauge is-cause">
          <span class="label">
            {causes === undefined || causes.list.length < 2
              ? 'first cause'
              : `first of ${toCount(causes.list.length, 'cause')}`}
          </span>
          <span class="value cut">
            {first && isCurrent.value ? (
              <a data-page href={first.about === undefined ? '/why' : toWhyPath(first.about)}>
                {toCauseTitle(first)}
              </a>
            ) : (
              <span class="faint">{toNoCause(cluster?.asOf)}</span>
            )}
          </span>
        </div>
      </div>
      <nav aria-label="Pages">
        <ul>
          {pageNames.map((name) => (
            <li key={name}>
              <a data-page href={`/${name}`} {...(isPage(name) ? { 'aria-current': 'page' as const } : {})}>
                {toTitle(name)}
                {name === 'why' && causes !== undefined && causes.list.length > 0 && isCurrent.value && (
                  <span class="badge"> {causes.list.length}</span>
                )}
              </a>
            </li>
          ))}
        </ul>
        <div class="status cut" role="status">
          {announced.value}
        </div>
        <button
          type="button"
          class="small"
          aria-label="Keys"
          onClick={() => {
            isHelpOpen.value = true;
          }}
        >
          ?
        </button>
      </nav>
    </header>
  );
}

function isPage(name: PageName): boolean {
  const current = page.value.name;
  return current === name || (current === 'service' && name === 'services');
}

export function toTitle(name: string): string {
  return `${name[0]?.toUpperCase() ?? ''}${name.slice(1)}`;
}

/** `redis: scaled to 0 replicas`, unless the line contains the name. */
export function toCauseTitle({
  about,
  line,
  affects,
}: {
  readonly about?: string;
  readonly line: string;
  readonly affects: readonly string[];
}): string {
  const who = about ?? affects.join(', ');
  const isSaid = line.includes(who) || ['cluster', 'dns', 'ingress'].includes(who);
  return isSaid ? line : `${who}: ${line}`;
}

function toNoCause(asOf: string | undefined): string {
  if (isCurrent.value) return 'none';
  return asOf === undefined ? 'not known yet' : `as of ${toClock(asOf)}`;
}
