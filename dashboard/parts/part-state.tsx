import type { PartView } from '../../src/dashboard/dashboard-state.ts';
import { isCurrent } from '../store.ts';
import { Mark, type Tone } from './shape.tsx';

const tones: Readonly<Record<PartView['state'], Tone>> = {
  ...{ ready: 'good', waiting: 'waiting', failed: 'failed', absent: 'absent', unknown: 'unknown' },
};

/** The state of a part; `unknown` while what is shown is an earlier picture. */
export function PartState({ part }: { readonly part: PartView }) {
  const state = isCurrent.value ? part.state : 'unknown';
  return <Mark tone={tones[state]}>{state === 'absent' ? 'not deployed' : state}</Mark>;
}

/** Why it is not as it should be; a remark; or what it runs. */
export function toDetail({ state, line, freshness, intercepted, note, image }: PartView): string {
  if (state === 'unknown') return 'the cluster has not been asked yet';
  if (state !== 'ready') return line;
  if (intercepted !== undefined) return intercepted;
  if (freshness !== undefined && freshness.state !== 'fresh') return freshness.line;
  return note ?? (image === undefined ? '' : toTag(image));
}

/** The tag of an image, or the first digits of its digest. */
function toTag(image: string): string {
  const [name = '', digest = ''] = image.split('@');
  const tag = /:([^/:]+)$/.exec(name)?.[1];
  return tag ?? digest.replace(/^sha256:/, '').slice(0, 12);
}
