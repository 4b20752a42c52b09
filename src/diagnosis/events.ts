import type { Event, Metadata } from '../tools/kubernetes/objects.ts';
import type { Snapshot } from './snapshot.ts';

/** What happened to an object, the newest last. */
export function listEvents(
  snapshot: Snapshot,
  { metadata }: { readonly metadata: Metadata },
): readonly Event[] {
  return snapshot
    .list('Event')
    .filter(({ involvedObject }) => involvedObject.uid === metadata.uid)
    .toSorted((one, other) => toTime(one) - toTime(other));
}

/** The newest of those that match. */
export function findLastEvent(
  snapshot: Snapshot,
  object: { readonly metadata: Metadata },
  matches: (event: Event) => boolean,
): Event | undefined {
  return listEvents(snapshot, object).findLast(matches);
}

/** When it last happened, in milliseconds since the epoch, to the second for most. */
export function toTime({ lastTimestamp, series, eventTime, metadata }: Event): number {
  return Date.parse(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp);
}
