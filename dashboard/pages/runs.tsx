import { useEffect } from 'preact/hooks';
import type { RunView, UsageView } from '../../src/dashboard/dashboard-state.ts';
import { reload } from '../actions.ts';
import { ask } from '../connection.ts';
import { toAgo, toBytes, toClock, toDuration, toMedian } from '../format.ts';
import { Command } from '../parts/copy.tsx';
import { Legend, listPhases, RunBar, RunResult } from '../parts/run-bar.tsx';
import { findHindrance, now, runs, state } from '../store.ts';

/** Runs that the list shows, and over how many of the same command the median is. */
const shownRuns = 60;
const medianOf = 20;

/** Where the time of each run went, and what was killed. */
export function Runs() {
  const shown = runs.value.slice(0, shownRuns);
  const names = listPhases(shown);
  const interrupted = state.value?.interrupted ?? [];
  return (
    <main>
      <div class="toolbar">
        <h1>Runs</h1>
        <span class="note">
          <span class="median is-sample" aria-hidden="true" /> median of the last {medianOf} of the same
          command
        </span>
        <Legend phases={names} />
      </div>
      {interrupted.length > 0 && (
        <p class="notice">
          The last run was killed during: {interrupted.join(', ')}. <Command line="npm run up" />
        </p>
      )}
      {shown.length === 0 ? (
        <p class="empty">No run has been recorded yet.</p>
      ) : (
        <ul class="run-list is-long">
          {shown.map((run) => (
            <Row key={run.id} run={run} names={names} scale={toScale(run, shown)} />
          ))}
        </ul>
      )}
      <Usage />
    </main>
  );
}

/** `reload`, `up`: runs of the same kind share a scale. */
const toKind = ({ command }: RunView) => /^npm run ([\w-]+)/.exec(command)?.[1] ?? '';

function toScale(run: RunView, shown: readonly RunView[]): number {
  const same = shown.filter((each) => toKind(each) === toKind(run));
  return Math.max(...same.map(({ milliseconds = 0 }) => milliseconds), 1);
}

function toMedianOf(run: RunView): number | undefined {
  const same = runs.value.filter(
    (each) => each.command === run.command && each.exitCode === 0 && each.milliseconds !== undefined,
  );
  return same.length < 2
    ? undefined
    : toMedian(same.slice(0, medianOf).map(({ milliseconds = 0 }) => milliseconds));
}

function Row({
  run,
  names,
  scale,
}: {
  readonly run: RunView;
  readonly names: readonly string[];
  readonly scale: number;
}) {
  const median = toMedianOf(run);
  const [service] = run.services;
  const canRepeat = toKind(run) === 'reload' && run.services.length === 1 && service !== undefined;
  const open = run.steps.filter(({ state: found }) => found !== 'done').map(({ step }) => step);
  return (
    <li>
      <span title={run.start}>
        {toClock(run.start)} <span class="faint">{toAgo(run.start, now.value)}</span>
      </span>
      <span class="cut" title={run.command}>
        {run.command.replace(/^npm run /, '')}{' '}
        <span class="faint">
          {open.length > 0
            ? `${run.interrupted ? 'killed during' : 'not done'}: ${open.join(', ')}`
            : run.trigger}
        </span>
      </span>
      <RunResult run={run} />
      <span>
        {run.milliseconds === undefined ? '–' : toDuration(run.milliseconds)}
        {median !== undefined && <span class="faint"> / {toDuration(median)}</span>}
      </span>
      <RunBar run={run} names={names} scale={scale} median={median} />
      <span class="actions">
        {canRepeat && (
          <button
            type="button"
            class="small"
            disabled={findHindrance() !== undefined}
            aria-label={`Reload again: ${service}`}
            onClick={() => reload(service)}
          >
            Reload again
          </button>
        )}
      </span>
      {(run.steps.length > 0 || run.phases.length > 0) && <Details run={run} />}
    </li>
  );
}

function Details({ run }: { readonly run: RunView }) {
  return (
    <details class="run-detail">
      <summary>details</summary>
      <dl>
        {run.phases.map(({ name, milliseconds }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{toDuration(milliseconds)}</dd>
          </div>
        ))}
        {run.steps.map(({ stage, step, milliseconds, state: found }) => (
          <div key={`${stage} ${step}`}>
            <dt>
              {stage !== undefined && <span class="faint">{stage}: </span>}
              {step}
            </dt>
            <dd>{milliseconds === undefined ? found : toDuration(milliseconds)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** Memory and CPU of each service over the last hour, where Prometheus or metrics-server runs. */
function Usage() {
  useEffect(() => {
    void ask('usage');
  }, []);
  const usage = Object.entries(state.value?.usage ?? {});
  return (
    <section aria-labelledby="usage-title">
      <h2 id="usage-title">Memory and CPU, last hour</h2>
      {usage.length === 0 ? (
        <p class="faint">
          Nothing in the cluster measures it. <Command line="npm run up -- --with metrics" />
        </p>
      ) : (
        <ul class="usage">
          {usage.map(([name, { samples }]) => (
            <li key={name}>
              <span class="cut">{name}</span>
              <Line samples={samples} of="bytes" />
              <span class="number">{toBytes(samples.at(-1)?.bytes ?? 0)}</span>
              <Line samples={samples} of="millicores" />
              <span class="number">{(samples.at(-1)?.millicores ?? 0).toFixed(0)} mCPU</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const hour = 60 * 60_000;

function Line({
  samples,
  of,
}: {
  readonly samples: UsageView['samples'];
  readonly of: 'bytes' | 'millicores';
}) {
  const end = samples.at(-1)?.at ?? 0;
  const highest = Math.max(1, ...samples.map((sample) => sample[of]));
  const points = samples
    .filter(({ at }) => end - at <= hour)
    .map((sample) => `${100 - (100 * (end - sample.at)) / hour},${23 - (21 * sample[of]) / highest}`);
  return (
    <svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points.join(' ')} />
    </svg>
  );
}
