import type { Reloaded } from '../../steps/reload-service.ts';

/** Result of a reload and the times of its phases. `milliseconds` since the save, else their sum. */
export function toReloadLine({ service, image, changed, phases }: Reloaded, milliseconds?: number): string {
  if (!changed) return `${service} already running ${image}`;
  const times = Object.entries(phases);
  const sum = times.reduce((total, [, each]) => total + each, 0);
  const parts = times.map(([phase, each]) => `${phase} ${toSeconds(each)}`);
  return `${service} runs ${image} after ${toSeconds(milliseconds ?? sum)}: ${parts.join(', ')}`;
}

/** Seconds with two decimals, since half a second matters here. */
export function toSeconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}
