import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { toClock, toCount } from '../format.ts';
import type { Line } from './log-buffer.ts';
import type { LogReader } from './log-reader.ts';
import { levels, toHue, toLineText } from './log-text.ts';
import { useFixedRows } from './use-fixed-rows.ts';
import { useVirtual } from './use-virtual.ts';

const rowHeight = 20;
/** Pixels from the end within which the view follows new lines. */
const nearEnd = 30;

export interface LogLinesProps {
  readonly reader: LogReader;
  readonly times: boolean;
  readonly wrap: boolean;
  readonly isPaused: boolean;
  readonly isSmall?: boolean | undefined;
}

/** The lines of a log. At its end it follows what is written; anywhere else it stays where it is. */
export function LogLines({ reader, times, wrap, isPaused, isSmall }: LogLinesProps) {
  const element = useRef<HTMLDivElement>(null);
  const [isFollowing, setFollowing] = useState(true);
  const frozen = useRef<readonly Line[] | undefined>(undefined);
  // Reading it draws this again for each change.
  const version = reader.version.value;
  const current = reader.buffer.shown;
  if (!isPaused) frozen.current = undefined;
  else frozen.current ??= [...current];
  const lines = frozen.current ?? current;
  const toKey = (index: number) => lines[index]?.number ?? index;
  // Wrapped lines have heights of their own, which must be measured.
  const wrapped = useVirtual({ count: wrap ? lines.length : 0, element, rowHeight, toKey });
  const isAtEnd = isFollowing && !isPaused;
  const fixed = useFixedRows({ count: lines.length, element, rowHeight, isAtEnd, toKey });
  const items = wrap ? wrapped.getVirtualItems() : fixed.rows;
  const total = wrap ? wrapped.getTotalSize() : fixed.total;
  const isNear = () => {
    const box = element.current;
    return box === null || box.scrollHeight - box.scrollTop - box.clientHeight < nearEnd;
  };

  // Each change of the lines moves the end.
  useLayoutEffect(() => {
    const box = element.current;
    if (box && isFollowing && !isPaused) box.scrollTop = box.scrollHeight;
  }, [version, isFollowing, isPaused]);

  useEffect(() => reader.setPaused(isPaused), [reader, isPaused]);

  const failure = reader.failure.value;
  const first = items[0]?.start ?? 0;
  return (
    <div class={isSmall ? 'log is-small' : 'log'}>
      {/* biome-ignore-start lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <div
        class={wrap ? 'log-scroll is-wrapped' : 'log-scroll'}
        ref={element}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={`Log, ${toCount(lines.length, 'line')}`}
        onScroll={() => {
          setFollowing(isNear());
          fixed.draw();
        }}
      >
        {/* biome-ignore-end lint/a11y/noNoninteractiveTabindex: as above. */}
        <div class="log-space" style={{ height: `${total}px` }}>
          <div class="log-rows" style={{ transform: `translateY(${first}px)` }}>
            {items.map(({ index, key }) => {
              const line = lines[index];
              return (
                line && (
                  <div
                    key={String(key)}
                    data-index={index}
                    class="log-row"
                    ref={(row: HTMLDivElement | null) => {
                      if (row && wrap) wrapped.measureElement(row);
                    }}
                  >
                    <LogRow line={line} times={times} wrap={wrap} />
                  </div>
                )
              );
            })}
          </div>
        </div>
      </div>
      <p class="log-foot">
        {failure ? (
          <span class="is-failed">
            {failure.message}
            {failure.because === undefined ? '' : `: ${failure.because}`}
          </span>
        ) : (
          <span class="number">{toCount(lines.length, 'line')}</span>
        )}
        {isPaused && current.length > lines.length && (
          <span>{toCount(current.length - lines.length, 'new line')}, paused</span>
        )}
        {!isFollowing && !isPaused && (
          <button type="button" class="small" onClick={() => setFollowing(true)}>
            To the end
          </button>
        )}
      </p>
    </div>
  );
}

function LogRow({
  line,
  times,
  wrap,
}: {
  readonly line: Line;
  readonly times: boolean;
  readonly wrap: boolean;
}) {
  const { source, time, level, gap } = line;
  if (source === undefined) return <span class="mark-line">mark {toClock(time)}</span>;
  const { message, rest } = toLineText(line);
  const name = levels[level] ?? 'info';
  return (
    <>
      {times && <span class="at">{toClock(time)}</span>}
      <span class={`who hue-${toHue(source.component)}`} title={`${source.pod} ${source.container}`}>
        {source.component}
      </span>
      {gap === undefined ? (
        <>
          <span class={`level is-${name}`}>{name}</span>
          <span class="text">
            {message}
            {rest !== '' && <span class="rest"> {wrap ? rest : rest.replaceAll('\n', ' ')}</span>}
          </span>
        </>
      ) : (
        <span class="gap">{gap < 0 ? '-- gap --' : `-- gap: ${toCount(gap, 'line')} not shown --`}</span>
      )}
    </>
  );
}
