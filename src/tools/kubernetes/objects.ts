/*
 * The fields of Kubernetes objects that this tool reads, as kubectl prints them. What the API may leave out is optional.
 */

export interface Metadata {
  readonly name: string;
  /** Undefined for what belongs to the whole cluster. */
  readonly namespace?: string;
  readonly uid: string;
  readonly generation?: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly { readonly uid: string }[];
}

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/** Amounts by name of the resource (`cpu`, `memory`), as they were written: `500m`, `64Mi`. */
export type Amounts = Readonly<Record<string, string>>;

export interface Node {
  readonly metadata: Metadata;
  readonly status: {
    readonly allocatable?: Amounts;
    readonly conditions?: readonly Condition[];
    readonly nodeInfo?: { readonly kubeletVersion?: string };
  };
}

/** A number, or the name of one of the container's ports. */
export type PortReference = number | string;

/** How the kubelet checks a container; one of the three. */
export interface Probe {
  readonly httpGet?: { readonly path?: string; readonly port: PortReference };
  readonly tcpSocket?: { readonly port: PortReference };
  readonly exec?: object;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  /** Overrides the entry point of the image. */
  readonly command?: readonly string[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly resources?: { readonly requests?: Amounts; readonly limits?: Amounts };
  /** `Always` on an init container makes it a sidecar. */
  readonly restartPolicy?: string;
}

export interface Terminated {
  readonly exitCode: number;
  readonly signal?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
}

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt: string };
  readonly terminated?: Terminated;
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly started?: boolean;
  readonly restartCount: number;
  readonly image: string;
  readonly imageID: string;
  /** ID of its newest run; another one after each restart. */
  readonly containerID?: string;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

export interface Pod {
  readonly metadata: Metadata;
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly volumes?: readonly {
      readonly name: string;
      readonly persistentVolumeClaim?: { readonly claimName: string };
    }[];
  };
  readonly status: {
    readonly podIP?: string;
    readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

export interface Deployment {
  readonly metadata: Metadata;
  readonly spec: {
    readonly replicas?: number;
    readonly template?: { readonly spec: { readonly containers: readonly Container[] } };
  };
  readonly status: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly conditions?: readonly Condition[];
  };
}

export interface StatefulSet {
  readonly metadata: Metadata;
  readonly spec: { readonly replicas?: number };
  readonly status: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly updateRevision?: string;
    readonly conditions?: readonly Condition[];
  };
}

export interface DaemonSet {
  readonly metadata: Metadata;
  readonly status: {
    readonly observedGeneration?: number;
    readonly desiredNumberScheduled?: number;
    readonly updatedNumberScheduled?: number;
    readonly numberReady?: number;
    readonly numberAvailable?: number;
  };
}

export interface ReplicaSet {
  readonly metadata: Metadata;
  readonly spec?: { readonly template?: { readonly spec: { readonly containers: readonly Container[] } } };
}

export interface Job {
  readonly metadata: Metadata;
  readonly spec: { readonly completions?: number; readonly backoffLimit?: number };
  readonly status: {
    readonly succeeded?: number;
    readonly failed?: number;
    readonly conditions?: readonly Condition[];
  };
}

export interface Claim {
  readonly metadata: Metadata;
  readonly spec: {
    readonly storageClassName?: string;
    readonly resources?: { readonly requests?: Amounts };
  };
  readonly status: { readonly phase?: string };
}

export type Labels = Readonly<Record<string, string>>;

export interface Service {
  readonly metadata: Metadata;
  readonly spec: {
    /** `None` for a headless Service, whose name resolves to the addresses of its pods. */
    readonly clusterIP?: string;
    readonly selector?: Labels;
    readonly ports?: readonly {
      readonly name?: string;
      readonly port: number;
      readonly targetPort?: PortReference;
    }[];
  };
}

/** The endpoints of a Service, which its label `kubernetes.io/service-name` names. */
export interface EndpointSlice {
  readonly metadata: Metadata;
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null;
  readonly endpoints?: readonly {
    readonly conditions?: { readonly ready?: boolean };
    readonly targetRef?: { readonly name?: string };
  }[];
}

/** Something that happened to an object; the API server deletes it after an hour. */
export interface Event {
  readonly metadata: Metadata;
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly involvedObject: { readonly kind?: string; readonly uid?: string; readonly name?: string };
  /** How often; undefined for an event that happened once. */
  readonly count?: number;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string };
}

/** Whether a pod passes its readiness probes. */
export function isPodReady({ status }: Pod): boolean {
  return status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** The service or data store that a pod belongs to, by the labels of our charts; undefined for any other pod. */
export function findComponent({ metadata: { labels = {} } }: Pick<Pod, 'metadata'>): string | undefined {
  return labels['app.kubernetes.io/part-of'] === 'wealist' ? labels['app.kubernetes.io/name'] : undefined;
}
