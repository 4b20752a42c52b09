import { signal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { PartView } from '../../src/dashboard/dashboard-state.ts';
import { toAgo, toDuration } from '../format.ts';
import { ServiceActions } from '../parts/actions.tsx';
import { Chain } from '../parts/chain.tsx';
import { PartState, toDetail } from '../parts/part-state.tsx';
import { toLogsPath, toServicePath, toWhyPath } from '../route.ts';
import { findLastReload, findRunningTask, isCurrent, now, parts, state, toProblemOrder } from '../store.ts';

const filter = signal('');

/** The row that the keys j and k move. */
export const chosen = signal<string | undefined>(undefined);

/** The rows in the order of the page, as last shown. */
let shownOrder: readonly string[] = [];
export const listShown = () => shownOrder;

/** One line for each part, problems first. While the pointer or the focus is in it, no row changes its place. */
export function Services() {
  const isHeld = useRef(false);
  const rows = keepOrder(
    toProblemOrder(parts.value.filter(({ kind, state: found }) => kind !== 'job' || found !== 'ready')),
    isHeld.current,
  );
  const wanted = filter.value.trim().toLowerCase();
  const shown = rows.filter(({ name }) => name.toLowerCase().includes(wanted));
  shownOrder = shown.map(({ name }) => name);
  const hold = (value: boolean) => () => {
    isHeld.current = value;
  };
  return (
    <main>
      <div class="toolbar">
        <h1>Services</h1>
        <label class="field">
          <span class="sr">Filter by name</span>
          <input
            type="search"
            data-search
            placeholder="Filter ( / )"
            value={filter.value}
            onInput={({ currentTarget }) => {
              filter.value = currentTarget.value;
            }}
          />
        </label>
        {state.value?.ingress && <Ingress />}
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: it only keeps the rows in their places. */}
      <div
        class={isCurrent.value ? 'table' : 'table is-past'}
        onMouseEnter={hold(true)}
        onMouseLeave={hold(false)}
        onFocusIn={hold(true)}
        onFocusOut={hold(false)}
      >
        <table class="services">
          <thead>
            <tr>
              <th scope="col" class="c-state">
                State
              </th>
              <th scope="col" class="c-name">
                Name
              </th>
              <th scope="col" class="c-chain">
                <span class="chain-head">source = built = loaded = running</span>
              </th>
              <th scope="col" class="c-unmet">
                Waits for
              </th>
              <th scope="col" class="c-pods number">
                Pods
              </th>
              <th scope="col" class="c-restarts number">
                Restarts
              </th>
              <th scope="col" class="c-reload">
                Last reload
              </th>
              <th scope="col" class="c-address">
                Address
              </th>
              <th scope="col" class="c-actions">
                Actions
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((part) => (
              <Row key={part.name} part={part} />
            ))}
          </tbody>
        </table>
        {shown.length === 0 && (
          <p class="empty">
            {state.value === undefined ? 'Waiting for the program.' : `No name contains "${filter.value}".`}
          </p>
        )}
      </div>
    </main>
  );
}

/** The previous order while it is held; what is new is added at the end. */
function keepOrder(sorted: readonly PartView[], isHeld: boolean): readonly PartView[] {
  if (!isHeld || filter.value !== '') return sorted;
  const place = (name: string) => {
    const at = shownOrder.indexOf(name);
    return at === -1 ? shownOrder.length : at;
  };
  return sorted.toSorted((one, other) => place(one.name) - place(other.name));
}

function Row({ part }: { readonly part: PartView }) {
  const { name, kind, unmet, restarts, ready, wanted, state: found } = part;
  const isProblem = found !== 'ready' && found !== 'unknown';
  const isService = kind === 'service';
  return (
    <tr
      data-part={name}
      class={chosen.value === name ? 'is-chosen' : ''}
      {...(chosen.value === name ? { 'aria-current': true } : {})}
    >
      <td class="c-state">
        <PartState part={part} />
      </td>
      <th scope="row" class="c-name">
        <a data-page href={toServicePath(name)} class="name">
          {name}
        </a>
        <span class="detail cut" title={toDetail(part)}>
          {toDetail(part)}
        </span>
      </th>
      <td class="c-chain">{isService ? <Chain freshness={part.freshness} /> : <Kind kind={kind} />}</td>
      <td class="c-unmet">
        {unmet.length === 0 ? (
          <span class="faint">–</span>
        ) : (
          <span class="cut" title={unmet.join(', ')}>
            {unmet.join(', ')}
          </span>
        )}
      </td>
      <td class="c-pods number" data-label="pods">
        {found === 'unknown' || found === 'absent' ? '–' : `${ready}/${wanted}`}
      </td>
      <td class={`c-restarts number ${restarts > 0 ? 'is-waiting' : 'faint'}`} data-label="restarts">
        {restarts}
      </td>
      <td class="c-reload">{isService ? <LastReload service={name} /> : <span class="faint">–</span>}</td>
      <td class="c-address">
        <Address part={part} />
      </td>
      <td class="c-actions">
        {isService && <ServiceActions name={name} />}
        <a data-page class="button small" href={toLogsPath(name)} aria-label={`Logs of ${name}`}>
          Logs
        </a>
        {isProblem && (
          <a data-page class="button small" href={toWhyPath(name)} aria-label={`Why is ${name} not ready?`}>
            Why
          </a>
        )}
      </td>
    </tr>
  );
}

function Kind({ kind }: { readonly kind: PartView['kind'] }) {
  const words = { infrastructure: 'data store', ingress: 'ingress controller', job: 'Job', extra: 'extra' };
  return <span class="faint">{kind === 'service' ? '' : words[kind]}</span>;
}

/** How long the last reload took, and when it was; what a running one does. */
function LastReload({ service }: { readonly service: string }) {
  const task = findRunningTask(service, 'reload');
  if (task) return <span class="cut">{task.lines.at(-1) ?? 'starting'}</span>;
  const run = findLastReload(service);
  if (!run) return <span class="faint">–</span>;
  const { milliseconds, start, exitCode, interrupted } = run;
  if (milliseconds === undefined && !interrupted) return <span>running</span>;
  const word = interrupted ? 'killed' : exitCode === 0 ? toDuration(milliseconds ?? 0) : `exit ${exitCode}`;
  return (
    <span>
      <span class={exitCode === 0 ? '' : 'is-failed'}>{word}</span>{' '}
      <span class="faint">{toAgo(start, now.value)}</span>
    </span>
  );
}

export function Address({ part: { name, address } }: { readonly part: PartView }) {
  if (address === undefined) return <span class="faint">–</span>;
  if (!address.startsWith('http')) {
    return (
      <a data-page class="cut" href={`/forwards?target=${encodeURIComponent(name)}`}>
        forward {name}
      </a>
    );
  }
  return (
    <a class="cut" href={address} target="_blank" rel="noreferrer">
      {toShortAddress(address)}
    </a>
  );
}

/** Without the origin of the ingress, which is the same for all. */
function toShortAddress(address: string): string {
  const { origin, host, pathname } = new URL(address);
  const ingress = state.value?.ingress?.url;
  return ingress !== undefined && new URL(ingress).origin === origin ? pathname : `${host}${pathname}`;
}

function Ingress() {
  const { url, answers, status, evidence } = state.value?.ingress ?? { url: '', answers: true };
  const word = status === undefined ? (evidence ?? 'does not respond') : `responds with ${status}`;
  return (
    <span class="note cut">
      ingress{' '}
      <a href={url} target="_blank" rel="noreferrer">
        {url.replace(/^http:\/\//, '')}
      </a>{' '}
      <span class={isCurrent.value && !answers ? 'is-failed' : 'faint'}>
        {isCurrent.value ? word : 'not known'}
      </span>
    </span>
  );
}
