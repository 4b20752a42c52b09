import type * as meta from 'kubernetes-types/meta/v1.js';
import type * as networking from 'kubernetes-types/networking/v1.js';
import type { DeepReadonly, Labels, Stored } from './objects.ts';

export type Ingress = Stored<networking.Ingress>;

/** What may connect to the pods it selects, or what these may connect to; pods that none selects may do both. */
export type NetworkPolicy = Stored<networking.NetworkPolicy, 'spec'>;

/** What a rule allows: of the fields that are set, all must match. */
export type PolicyPeer = DeepReadonly<networking.NetworkPolicyPeer>;

type LabelSelector = DeepReadonly<meta.LabelSelector>;

/** Whether a selector matches these labels; an empty one matches all. */
export function matches(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  labels: Labels = {},
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'Exists' || operator === 'DoesNotExist') {
        return (value !== undefined) === (operator === 'Exists');
      }
      return (value !== undefined && values.includes(value)) === (operator === 'In');
    })
  );
}
