import {
  elementScroll,
  measureElement,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
} from '@tanstack/virtual-core';
import type { RefObject } from 'preact';
import { useLayoutEffect, useReducer, useRef } from 'preact/hooks';

export type Rows = Virtualizer<HTMLDivElement, HTMLDivElement>;

export interface VirtualOptions {
  readonly count: number;
  readonly element: RefObject<HTMLDivElement | null>;
  /** Pixels of a row that has not been measured. */
  readonly rowHeight: number;
  readonly toKey: (index: number) => number;
}

/** Which of many rows are drawn: those in view, and a few around them. */
export function useVirtual({ count, element, rowHeight, toKey }: VirtualOptions): Rows {
  const [, draw] = useReducer((number: number) => number + 1, 0);
  const options = {
    count,
    getScrollElement: () => element.current,
    estimateSize: () => rowHeight,
    getItemKey: toKey,
    overscan: 12,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    measureElement,
    onChange: () => draw(undefined),
  };
  const rows = useRef<Rows | undefined>(undefined);
  rows.current ??= new Virtualizer<HTMLDivElement, HTMLDivElement>(options);
  rows.current.setOptions(options);
  useLayoutEffect(() => rows.current?._didMount(), []);
  useLayoutEffect(() => rows.current?._willUpdate());
  return rows.current;
}
