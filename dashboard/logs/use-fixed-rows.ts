import type { RefObject } from 'preact';
import { useEffect, useReducer } from 'preact/hooks';

/** A row that is drawn. */
export interface DrawnRow {
  readonly index: number;
  readonly key: number;
  /** Pixels above it. */
  readonly start: number;
}

export interface FixedRowsOptions {
  readonly count: number;
  readonly element: RefObject<HTMLDivElement | null>;
  readonly rowHeight: number;
  /** The last rows are in view, whatever the scroll position is until now. */
  readonly isAtEnd: boolean;
  readonly toKey: (index: number) => number;
}

/** Rows that are drawn above and below those in view. */
const overscan = 12;

/**
 * Which of many rows of one height are drawn. With one height nothing needs to be measured or remembered for each row, so
 * that thousands of new lines per second cost no more than the rows in view.
 */
export function useFixedRows({ count, element, rowHeight, isAtEnd, toKey }: FixedRowsOptions) {
  const [, draw] = useReducer((number: number) => number + 1, 0);
  useEffect(() => {
    const box = element.current;
    if (!box) return;
    const observer = new ResizeObserver(() => draw(undefined));
    observer.observe(box);
    return () => observer.disconnect();
  }, [element]);
  const total = count * rowHeight;
  const height = element.current?.clientHeight ?? 0;
  const top = isAtEnd ? Math.max(0, total - height) : (element.current?.scrollTop ?? 0);
  const first = Math.max(0, Math.floor(top / rowHeight) - overscan);
  const end = Math.min(count, Math.ceil((top + height) / rowHeight) + overscan);
  const rows = Array.from({ length: Math.max(0, end - first) }, (_, at): DrawnRow => {
    const index = first + at;
    return { index, key: toKey(index), start: index * rowHeight };
  });
  return { rows, total, draw: () => draw(undefined) };
}
