import type { FreshnessView } from '../../src/dashboard/dashboard-state.ts';
import { Mark, type Tone } from './shape.tsx';

const links = ['built', 'loaded', 'running'] as const;

const words: Readonly<Record<(typeof links)[number], string>> = {
  ...{ built: 'not built', loaded: 'not loaded', running: 'not running' },
};

/** `=` for a link that holds, `≠` for the first that does not, `·` for what follows it. */
function toLinks({ state, broken }: FreshnessView): readonly ('=' | '≠' | '·')[] {
  const first = state === 'stale' && broken !== undefined ? links.indexOf(broken) : links.length;
  return links.map((_, at) => (at < first ? '=' : at === first ? '≠' : '·'));
}

/** source = built = loaded = running, in the room of a row. */
export function Chain({ freshness }: { readonly freshness: FreshnessView | undefined }) {
  if (!freshness) return <span class="faint">–</span>;
  const tones: Readonly<Record<FreshnessView['state'], Tone>> = {
    ...{ fresh: 'good', live: 'live', stale: 'stale' },
  };
  const word = freshness.state === 'stale' ? words[freshness.broken ?? 'running'] : freshness.state;
  return (
    <span class="chain" title={freshness.line}>
      <svg class={`chain-line is-${freshness.state}`} viewBox="0 0 92 12" aria-hidden="true">
        {toLinks(freshness).map((link, at) => (
          <g key={links[at]} transform={`translate(${at * 28} 0)`}>
            {link === '=' && <path d="M11 4.5h16M11 7.5h16" class="holds" />}
            {link === '≠' && <path d="M11 4.5h16M11 7.5h16M16 11.5l6-11" class="breaks" />}
            {link === '·' && <path d="M12 6h14" class="after" />}
          </g>
        ))}
        {[0, 1, 2, 3].map((at) => (
          <circle
            key={at}
            cx={5 + at * 28}
            cy="6"
            r="3.6"
            class={at === 0 || toLinks(freshness)[at - 1] === '=' ? 'stop' : 'stop is-open'}
          />
        ))}
      </svg>
      <Mark tone={tones[freshness.state]}>{word}</Mark>
    </span>
  );
}

/** The same with the name of each station, for the page of one service. */
export function LongChain({ freshness }: { readonly freshness: FreshnessView }) {
  const found = toLinks(freshness);
  return (
    <div class="long-chain">
      <p class="stations">
        <span class="station">source</span>
        {links.map((name, at) => (
          <span key={name} class="link">
            <span class={`sign is-${found[at] === '≠' ? 'broken' : found[at] === '·' ? 'after' : 'whole'}`}>
              {found[at]}
            </span>
            <span class={found[at] === '=' ? 'station' : 'station is-open'}>{name}</span>
          </span>
        ))}
      </p>
      <p class="faint">{freshness.line}</p>
    </div>
  );
}
