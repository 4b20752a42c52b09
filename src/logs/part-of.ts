import type { Pod } from '../tools/kubernetes/objects.ts';

/** The part of the platform that a pod belongs to; undefined for pods that are not wanted. */
export type PartOf = (pod: Pod) => string | undefined;
