import type { Reloaded } from '../../steps/reload-service.ts';

/** What a reload came to, and where its time went. `milliseconds` from what began it, else the sum of its phases. */
export function toReloadLine({ service, image, changed, phases }: Reloaded, milliseconds?: number): string {
  if (!changed) return `${service} already running ${image}`;
  const times = Object.entries(phases);
  const sum = times.reduce((total, [, each]) => total + each, 0);
  const parts = times.map(([phase, each]) => `${phase} ${toSeconds(each)}`);
  return `${service} runs ${image} after ${toSeconds(milliseconds ?? sum)}: ${parts.join(', ')}`;
}

/** To the hundredth: half a second is much here. */
export function toSeconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}
