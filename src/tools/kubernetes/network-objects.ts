import type { Labels, Metadata, PortReference } from './objects.ts';

/*
 * Objects that route traffic to pods or forbid it: the fields that this tool reads, as kubectl prints them.
 */

export interface Ingress {
  readonly metadata: Metadata;
  readonly spec?: {
    readonly ingressClassName?: string;
    readonly rules?: readonly {
      readonly host?: string;
      readonly http?: {
        readonly paths: readonly {
          readonly path?: string;
          readonly backend: {
            readonly service?: {
              readonly name: string;
              readonly port?: { readonly number?: number; readonly name?: string };
            };
          };
        }[];
      };
    }[];
  };
}

interface LabelSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values?: readonly string[];
  }[];
}

/** The peers that a rule allows: all fields that are set must match. */
export interface PolicyPeer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: object;
}

interface PolicyPort {
  readonly protocol?: string;
  readonly port?: PortReference;
  readonly endPort?: number;
}

/** Which peers may connect to the selected pods, or be connected to; pods that no policy selects are unrestricted. */
export interface NetworkPolicy {
  readonly metadata: Metadata;
  readonly spec: {
    readonly podSelector?: LabelSelector;
    readonly policyTypes?: readonly ('Ingress' | 'Egress')[];
    readonly ingress?: readonly {
      readonly from?: readonly PolicyPeer[];
      readonly ports?: readonly PolicyPort[];
    }[];
    readonly egress?: readonly {
      readonly to?: readonly PolicyPeer[];
      readonly ports?: readonly PolicyPort[];
    }[];
  };
}

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
