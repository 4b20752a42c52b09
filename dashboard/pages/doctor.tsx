import { Command } from '../parts/copy.tsx';
import { Mark, type Tone } from '../parts/shape.tsx';
import { AskedPage } from './asked.tsx';

interface Report {
  readonly checks: readonly {
    readonly id: string;
    readonly title: string;
    readonly state: 'ok' | 'warn' | 'fail';
    readonly detail: string;
    readonly fix?: string;
  }[];
  readonly changes: readonly { readonly title: string; readonly detail: string; readonly at: string }[];
}

const tones: Readonly<Record<string, Tone>> = { ok: 'good', warn: 'waiting', fail: 'failed' };
const places: Readonly<Record<string, number>> = { fail: 0, warn: 1, ok: 2 };

/** The checks of this machine, failed ones first. Fixes are copied, never run from here. */
export function Doctor() {
  return (
    <AskedPage<Report>
      title="Doctor"
      what="doctor"
      button="Check this machine"
      about="Checks machine, container engine, ports, disk and network. Changes nothing."
    >
      {({ checks, changes }) => (
        <>
          <ul class="checks">
            {checks
              .toSorted((one, other) => (places[one.state] ?? 0) - (places[other.state] ?? 0))
              .map(({ id, title, state, detail, fix }) => (
                <li key={`${id} ${title}`}>
                  <Mark tone={tones[state] ?? 'unknown'}>{state}</Mark>
                  <strong>{title}</strong>
                  <span>
                    {detail} {fix !== undefined && <Command line={fix} />}
                  </span>
                </li>
              ))}
          </ul>
          {changes.length > 0 && (
            <section aria-labelledby="changes-title">
              <h2 id="changes-title">Changed on this system by wealist-local</h2>
              <ul class="checks is-plain">
                {changes.map(({ title, detail, at }) => (
                  <li key={`${at} ${title}`}>
                    <span class="number">{at.slice(0, 10)}</span>
                    <strong>{title}</strong>
                    <span>{detail}</span>
                  </li>
                ))}
              </ul>
            </section>
          )}
        </>
      )}
    </AskedPage>
  );
}
