import type { PartView } from '../../src/dashboard/dashboard-state.ts';
import { toAgo, toClock } from '../format.ts';
import { LogView } from '../logs/log-view.tsx';
import { ServiceActions } from '../parts/actions.tsx';
import { Causes, PartLink } from '../parts/causes.tsx';
import { LongChain } from '../parts/chain.tsx';
import { PartState, toDetail } from '../parts/part-state.tsx';
import { Legend, listPhases, RunBar, RunResult } from '../parts/run-bar.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { Mark } from '../parts/shape.tsx';
import { toLogsPath } from '../route.ts';
import { isCurrent, now, parts, runs, state } from '../store.ts';
import { Address } from './services.tsx';

/** Everything about one part. */
export function Service({ name }: { readonly name: string }) {
  const part = parts.value.find((each) => each.name === name);
  if (!part) {
    return (
      <main>
        <h1>{name}</h1>
        <p class="empty">
          {state.value === undefined ? 'Waiting for the program.' : `Nothing here is called ${name}.`}
        </p>
      </main>
    );
  }
  const causes = (state.value?.causes.list ?? []).filter(
    ({ about, affects }) => about === name || affects.includes(name),
  );
  const neededBy = parts.value.filter(({ needs }) => needs.includes(name)).map((each) => each.name);
  return (
    <main class={isCurrent.value ? '' : 'is-past'}>
      <div class="toolbar">
        <h1>{name}</h1>
        <PartState part={part} />
        <span class="note cut">{toDetail(part)}</span>
        <span class="push actions">
          {part.kind === 'service' && <ServiceActions name={name} />}
          <Address part={part} />
        </span>
      </div>
      {causes.length > 0 && (
        <section aria-label="Causes">
          <Causes causes={causes} />
        </section>
      )}
      <div class="columns">
        <section aria-labelledby="chain-title">
          <h2 id="chain-title">Freshness</h2>
          {part.freshness ? (
            <LongChain freshness={part.freshness} />
          ) : (
            <p class="faint">{part.kind === 'service' ? 'No pod runs.' : 'Not built from a source here.'}</p>
          )}
          <h2>Needs</h2>
          <Names names={part.needs} unmet={part.unmet} />
          <h2>Needed by</h2>
          <Names names={neededBy} unmet={[]} />
        </section>
        <section aria-labelledby="pods-title">
          <h2 id="pods-title">Pods</h2>
          <Pods part={part} />
        </section>
      </div>
      <ServiceRuns name={name} />
      <section aria-label={`Log of ${name}`}>
        <div class="toolbar">
          <h2>Log</h2>
          <a data-page class="button small" href={toLogsPath(name)}>
            All filters
          </a>
        </div>
        <LogView key={name} query={{ components: [name], tail: 200 }} isSmall />
      </section>
    </main>
  );
}

function Names({ names, unmet }: { readonly names: readonly string[]; readonly unmet: readonly string[] }) {
  if (names.length === 0) return <p class="faint">nothing</p>;
  return (
    <p class="chips">
      {names.map((name) => (
        <span key={name} class="need">
          <PartLink name={name} />
          {unmet.includes(name) && isCurrent.value && <Mark tone="waiting">not ready</Mark>}
        </span>
      ))}
    </p>
  );
}

function Pods({ part: { pods } }: { readonly part: PartView }) {
  if (pods.length === 0) return <p class="faint">no pod</p>;
  return (
    <Scroll label="Table of pods">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Pod</th>
            <th scope="col">Node</th>
            <th scope="col" class="number">
              Restarts
            </th>
            <th scope="col">Age</th>
          </tr>
        </thead>
        <tbody>
          {pods.map(({ name, node, state: found, ready, restarts, created }) => (
            <tr key={name}>
              <td>
                <Mark tone={isCurrent.value ? (ready ? 'good' : 'waiting') : 'unknown'}>
                  {isCurrent.value ? found : 'unknown'}
                </Mark>
              </td>
              <td>{name}</td>
              <td>{node ?? '–'}</td>
              <td class="number">{restarts}</td>
              <td>{toAgo(created, now.value).replace(' ago', '')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** How many runs the page of a service shows. */
const shownRuns = 10;

function ServiceRuns({ name }: { readonly name: string }) {
  const own = runs.value.filter(({ services }) => services.includes(name)).slice(0, shownRuns);
  const phases = listPhases(own);
  const scale = Math.max(...own.map(({ milliseconds = 0 }) => milliseconds), 1);
  return (
    <section aria-labelledby="runs-title">
      <div class="toolbar">
        <h2 id="runs-title">Last runs</h2>
        <Legend phases={phases} />
      </div>
      {own.length === 0 ? (
        <p class="faint">no run has named it yet</p>
      ) : (
        <ul class="run-list">
          {own.map((run) => (
            <li key={run.id}>
              <span class="number">{toClock(run.start)}</span>
              <span class="cut">{run.trigger ?? run.command.replace(/^npm run /, '')}</span>
              <RunResult run={run} />
              <RunBar run={run} names={phases} scale={scale} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
