import { abortable } from '../../lib/abortable.ts';

/** How many lines a tab can take. */
export interface Credit {
  add(lines: number): void;
  /** Resolves when the tab has room, and uses that for so many lines. @throws the signal's reason. */
  take(lines: number, signal: AbortSignal): Promise<void>;
}

/** No room at first. A message may exceed what is left, so that a small credit does not hold it back for ever. */
export function openCredit(): Credit {
  let left = 0;
  let wake: () => void = () => {};
  return {
    add(lines) {
      if (!Number.isFinite(lines) || lines <= 0) return;
      left += lines;
      wake();
    },
    async take(lines, signal) {
      while (left <= 0) {
        const added = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await abortable(added, signal);
      }
      left -= lines;
    },
  };
}
