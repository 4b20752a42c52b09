import { toAge } from '../src/lib/age.ts';
import { toDuration } from '../src/lib/duration.ts';

export { toDuration };

const two = (value: number) => String(value).padStart(2, '0');

/** `12:03:04` in the local time zone. */
export function toClock(time: string | number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return '';
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `3 min ago` */
export function toAgo(time: string, now: number): string {
  return `${toAge(now - Date.parse(time))} ago`;
}

export function toMedian(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  const lower = sorted[middle - 1];
  if (upper === undefined) return undefined;
  return sorted.length % 2 === 1 || lower === undefined ? upper : (lower + upper) / 2;
}

/** `96 MiB` */
export function toBytes(bytes: number): string {
  const mebibytes = bytes / 1024 / 1024;
  return mebibytes < 1000 ? `${mebibytes.toFixed(0)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}

export const toCount = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`;
