import type { Event, Metadata } from '../tools/kubernetes/objects.ts';
import type { Snapshot } from './snapshot.ts';

/** The events of an object, the newest last. */
export function listEvents(
  snapshot: Snapshot,
  { metadata }: { readonly metadata: Metadata },
): readonly Event[] {
  return snapshot
    .list('Event')
    .filter(({ involvedObject }) => involvedObject.uid === metadata.uid)
    .toSorted((one, other) => toTime(one) - toTime(other));
}

/** The newest event that matches. */
export function findLastEvent(
  snapshot: Snapshot,
  object: { readonly metadata: Metadata },
  matches: (event: Event) => boolean,
): Event | undefined {
  return listEvents(snapshot, object).findLast(matches);
}

/** Time of the last occurrence in milliseconds since the epoch; most events record seconds. */
export function toTime({ lastTimestamp, series, eventTime, metadata }: Event): number {
  return Date.parse(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp);
}
