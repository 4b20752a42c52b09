import { ask } from '../connection.ts';
import { toClock } from '../format.ts';
import { Causes } from '../parts/causes.tsx';
import { PartSelect } from '../parts/part-select.tsx';
import { Mark } from '../parts/shape.tsx';
import { place } from '../route.ts';
import { isCurrent, parts, state } from '../store.ts';

/** The ranked causes of all that is not ready or does not respond. */
export function Why() {
  const about = place.value.query.get('about') ?? '';
  const { causes, cluster } = state.value ?? {};
  const all = causes?.list ?? [];
  const shown = all.filter((cause) => about === '' || cause.about === about || cause.affects.includes(about));
  return (
    <main>
      <div class="toolbar">
        <h1>Why</h1>
        <PartSelect query="about" label="What it is about" none="everything" />
        <button type="button" class="small" onClick={() => void ask('why')}>
          Ask again
        </button>
        <span class="note">{causes?.at === undefined ? '' : `as of ${toClock(causes.at)}`}</span>
      </div>
      {shown.length > 0 ? (
        <Causes causes={shown} />
      ) : (
        <p class="empty">
          {isCurrent.value ? <NoCause line={causes?.line} about={about} /> : toPast(cluster?.state)}
        </p>
      )}
    </main>
  );
}

function NoCause({ line, about }: { readonly line: string | undefined; readonly about: string }) {
  if (line === undefined) return <>The causes are being looked for.</>;
  const part = parts.value.find(({ name }) => name === about);
  if (part && part.state !== 'ready') return <>{part.line}</>;
  return <Mark tone="good">{about === '' ? line : `${about} has no cause`}</Mark>;
}

const toPast = (found: string | undefined) =>
  found === undefined || found === 'loading'
    ? 'The cluster is being asked.'
    : 'No causes are known while the cluster does not respond.';
