import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { LogQuery } from '../../src/dashboard/protocol.ts';
import { announce } from '../announce.ts';
import { toLink } from '../connection.ts';
import { toCount } from '../format.ts';
import { noFilter, toPattern } from '../logs/log-buffer.ts';
import { LogLines } from '../logs/log-lines.tsx';
import type { LogReader } from '../logs/log-reader.ts';
import { levels, toPlainLine } from '../logs/log-text.ts';
import { useLogReader } from '../logs/log-view.tsx';
import { Copy } from '../parts/copy.tsx';
import { place, setQuery } from '../route.ts';
import { parts } from '../store.ts';

export const isPaused = signal(false);

/** The reader of the page that is shown, for the keys. */
let shownReader: LogReader | undefined;

/** Sets a mark at the end of the log, to find what comes after it. */
export function setMark(): void {
  shownReader?.buffer.mark();
  shownReader?.draw();
}

/** How far back a log is read: the query's words and their meaning. */
const ranges: Readonly<
  Record<string, { readonly label: string; readonly query: Omit<LogQuery, 'components'> }>
> = {
  '': { label: 'last 200 lines each', query: { tail: 200 } },
  '5m': { label: 'last 5 min', query: { since: 5 * 60_000 } },
  '1h': { label: 'last hour', query: { since: 60 * 60_000 } },
  all: { label: 'everything', query: {} },
};

/** The merged logs of all parts, with filters that its address has. */
export function Logs() {
  const { query } = place.value;
  const chosen = (query.get('services') ?? '').split(',').filter((name) => name !== '');
  const level = query.get('level') ?? 'trace';
  const text = query.get('text') ?? '';
  const range = ranges[query.get('since') ?? ''] ?? ranges[''];
  const previous = query.has('previous');
  const times = query.get('times') !== 'off';
  const wrap = query.has('wrap');
  const reader = useLogReader({ components: [], ...range?.query, ...(previous ? { previous } : {}) });
  const problem = useFilter(reader, { chosen, level, text });
  useEffect(() => {
    shownReader = reader;
  }, [reader]);
  const toText = () => (reader?.buffer.shown ?? []).map((line) => `${toPlainLine(line)}\n`).join('');
  const flag = (name: string) => (event: { readonly currentTarget: HTMLInputElement }) =>
    setQuery({ [name]: event.currentTarget.checked ? 'on' : undefined });

  return (
    <main class="is-filling">
      <div class="toolbar">
        <h1>Logs</h1>
        <details class="menu">
          <summary>
            {chosen.length === 0
              ? 'all services'
              : chosen.length === 1
                ? chosen[0]
                : toCount(chosen.length, 'service')}
          </summary>
          <fieldset>
            <legend class="sr">Services</legend>
            {parts.value.map(({ name }) => (
              <label key={name}>
                <input
                  type="checkbox"
                  checked={chosen.includes(name)}
                  onChange={({ currentTarget }) => {
                    const others = chosen.filter((each) => each !== name);
                    setQuery({ services: (currentTarget.checked ? [...others, name] : others).join(',') });
                  }}
                />{' '}
                {name}
              </label>
            ))}
          </fieldset>
        </details>
        <label class="field">
          <span class="sr">Lowest level</span>
          <select value={level} onChange={({ currentTarget }) => setQuery({ level: currentTarget.value })}>
            {levels.map((name) => (
              <option key={name} value={name}>
                {name === 'trace' ? 'all levels' : name}
              </option>
            ))}
          </select>
        </label>
        <label class="field is-wide">
          <span class="sr">Text or /regular expression/</span>
          <input
            type="search"
            data-search
            placeholder="text or /regex/ ( / )"
            value={text}
            {...(problem === undefined ? {} : { 'aria-invalid': true, title: problem })}
            onInput={({ currentTarget }) => setQuery({ text: currentTarget.value })}
          />
        </label>
        <label class="field">
          <span class="sr">How far back</span>
          <select
            value={query.get('since') ?? ''}
            onChange={({ currentTarget }) => setQuery({ since: currentTarget.value })}
          >
            {Object.entries(ranges).map(([value, { label }]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <label class="flag">
          <input type="checkbox" checked={previous} onChange={flag('previous')} /> previous
        </label>
        <label class="flag">
          <input
            type="checkbox"
            checked={times}
            onChange={({ currentTarget }) => setQuery({ times: currentTarget.checked ? undefined : 'off' })}
          />{' '}
          times
        </label>
        <label class="flag">
          <input type="checkbox" checked={wrap} onChange={flag('wrap')} /> wrap
        </label>
        <span class="actions push">
          <button
            type="button"
            class="small"
            aria-pressed={isPaused.value}
            onClick={() => {
              isPaused.value = !isPaused.value;
            }}
          >
            Pause
          </button>
          <button type="button" class="small" onClick={setMark}>
            Mark
          </button>
          <Copy text={toText} label="Copy" />
          <button type="button" class="small" onClick={() => download(toText())}>
            Download
          </button>
          <Copy text={toLink} label="Link" />
        </span>
      </div>
      {reader && <LogLines reader={reader} times={times} wrap={wrap} isPaused={isPaused.value} />}
    </main>
  );
}

/** Applies the filter whenever it changes. Returns what is wrong with a regular expression. */
function useFilter(
  reader: LogReader | undefined,
  {
    chosen,
    level,
    text,
  }: { readonly chosen: readonly string[]; readonly level: string; readonly text: string },
): string | undefined {
  const names = chosen.join(',');
  let pattern: RegExp | undefined;
  let problem: string | undefined;
  try {
    pattern = toPattern(text);
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  // The pattern follows from the text.
  useEffect(() => {
    if (!reader || problem !== undefined) return;
    const components = new Set(names === '' ? [] : names.split(','));
    const lowest = [...levels.keys()].find((at) => levels[at] === level) ?? 0;
    void reader.buffer.setFilter({ ...noFilter, components, level: lowest, text: pattern }).then(reader.draw);
  }, [reader, names, level, text, problem]);
  return problem;
}

function download(text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `wealist-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.log`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
  announce('Downloaded');
}
