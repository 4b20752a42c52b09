import type { CauseView } from '../../src/dashboard/dashboard-state.ts';
import { reload, up } from '../actions.ts';
import { toServicePath } from '../route.ts';
import { findHindrance, isCurrent, parts } from '../store.ts';
import { Command } from './copy.tsx';
import { toCauseTitle } from './header.tsx';
import { Mark } from './shape.tsx';

/** Causes in the order of how many parts they affect, each with its evidence, its log and the next command. */
export function Causes({ causes }: { readonly causes: readonly CauseView[] }) {
  return (
    <ol class="causes">
      {causes.map((cause) => (
        <li key={`${cause.about} ${cause.line}`} class={isCurrent.value ? 'cause' : 'cause is-past'}>
          <h2>
            <Mark tone={cause.state === 'failed' ? 'failed' : 'waiting'}>{cause.state}</Mark>{' '}
            {toCauseTitle(cause)}
          </h2>
          {cause.evidence !== undefined && (
            <p class="evidence">
              <span class="label">because</span> {cause.evidence}
            </p>
          )}
          {cause.log !== undefined && (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
            <pre tabIndex={0} class="log-tail">
              {cause.log}
            </pre>
          )}
          {cause.affects.length > 0 && (
            <p>
              <span class="label">affects</span>{' '}
              {cause.affects.map((name) => (
                <PartLink key={name} name={name} />
              ))}
            </p>
          )}
          {cause.next !== undefined && (
            <p>
              <span class="label">next</span> <Command line={cause.next} /> <RunIt line={cause.next} />
            </p>
          )}
        </li>
      ))}
    </ol>
  );
}

/** A link to the page of a part, where it has one. */
export function PartLink({ name }: { readonly name: string }) {
  const isPart = parts.value.some((part) => part.name === name);
  if (!isPart) return <span class="chip">{name}</span>;
  return (
    <a data-page class="chip" href={toServicePath(name)}>
      {name}
    </a>
  );
}

/** Runs the next command, where that is one that asks nothing and loses nothing. */
function RunIt({ line }: { readonly line: string }) {
  const service = /^npm run reload (?:-- )?([a-z][a-z0-9-]*)$/.exec(line)?.[1];
  const run = line === 'npm run up' ? up : service === undefined ? undefined : () => reload(service);
  if (!run) return null;
  const hindrance = service === undefined ? undefined : findHindrance();
  return (
    <button
      type="button"
      class="small"
      disabled={hindrance !== undefined}
      {...(hindrance === undefined ? {} : { title: hindrance })}
      onClick={run}
    >
      Run it
    </button>
  );
}
