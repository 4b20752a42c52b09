/** Where a value is not known yet, or was known last. */
export type ClusterWord = 'loading' | 'running' | 'silent' | 'stopped' | 'paused' | 'missing' | 'unknown';

/** Everything that the page shows without asking. The server sends it once, then only what changes. */
export interface DashboardState {
  readonly environment: {
    readonly name: string;
    readonly namespace: string;
    /** A remote environment: nothing can be changed. */
    readonly readOnly: boolean;
  };
  readonly cluster: ClusterView;
  readonly ingress?: IngressView;
  /** Who holds the lock of the checkout. */
  readonly lock?: LockView;
  /** Services, data stores, Jobs, ingress controller and extras by name, in the order of the configuration. */
  readonly parts: Readonly<Record<string, PartView>>;
  readonly causes: CausesView;
  /** Runs of the last time by ID, which begins with their start, so that the order of the IDs is that of the runs. */
  readonly runs: Readonly<Record<string, RunView>>;
  /** Names of steps that a killed run began and did not finish. */
  readonly interrupted: readonly string[];
  /** Programs that this dashboard has started, by ID. */
  readonly tasks: Readonly<Record<string, TaskView>>;
  readonly forwards: Readonly<Record<string, ForwardView>>;
  /** What can be forwarded, with the port that is tried first. */
  readonly forwardTargets: Readonly<Record<string, number>>;
  /** Memory and CPU by service, while a source of metrics responds. */
  readonly usage: Readonly<Record<string, UsageView>>;
}

export interface ClusterView {
  readonly name: string;
  readonly state: ClusterWord;
  /** What the engine or the API server reports. */
  readonly evidence?: string;
  /** When the parts were as shown: ISO 8601. */
  readonly asOf?: string;
  /** The command to run next. */
  readonly next?: string;
}

export interface IngressView {
  readonly url: string;
  readonly answers: boolean;
  readonly status?: number;
  readonly evidence?: string;
}

export interface LockView {
  readonly command: string;
  readonly pid: number;
  readonly since: string;
}

export interface FreshnessView {
  readonly state: 'fresh' | 'live' | 'stale';
  /** The first link of source = built = loaded = running that does not hold. */
  readonly broken?: 'built' | 'loaded' | 'running';
  readonly line: string;
}

export interface PartView {
  readonly name: string;
  readonly kind: 'service' | 'infrastructure' | 'ingress' | 'job' | 'extra';
  /** `unknown` until the cluster has responded for the first time. */
  readonly state: 'ready' | 'waiting' | 'failed' | 'absent' | 'unknown';
  readonly line: string;
  readonly evidence?: string;
  readonly next?: string;
  readonly ready: number;
  readonly wanted: number;
  readonly restarts: number;
  /** When its oldest pod was created. */
  readonly created?: string;
  readonly image?: string;
  readonly freshness?: FreshnessView;
  /** What it needs itself. */
  readonly needs: readonly string[];
  /** Those of its needs, direct and indirect, that are not ready. */
  readonly unmet: readonly string[];
  readonly address?: string;
  readonly intercepted?: string;
  readonly note?: string;
  readonly pods: readonly PodView[];
}

export interface PodView {
  readonly name: string;
  readonly node?: string;
  readonly state: string;
  readonly ready: boolean;
  readonly restarts: number;
  readonly created: string;
}

export interface CauseView {
  readonly about?: string;
  readonly state: 'waiting' | 'failed';
  readonly line: string;
  readonly evidence?: string;
  readonly log?: string;
  readonly next?: string;
  readonly affects: readonly string[];
}

export interface CausesView {
  /** When they were found: ISO 8601; undefined until then. */
  readonly at?: string;
  readonly line?: string;
  readonly list: readonly CauseView[];
}

export interface RunView {
  readonly id: string;
  readonly command: string;
  readonly trigger?: string;
  readonly services: readonly string[];
  /** ISO 8601. */
  readonly start: string;
  /** Undefined while it runs. */
  readonly milliseconds?: number;
  readonly exitCode?: number;
  /** It was killed, or ended by Ctrl-C. */
  readonly interrupted?: boolean;
  /** Why it has failed. */
  readonly failure?: string;
  /** Milliseconds by name, in their order. */
  readonly phases: readonly { readonly name: string; readonly milliseconds: number }[];
  readonly steps: readonly StepView[];
}

export interface StepView {
  readonly stage?: string;
  readonly step: string;
  readonly milliseconds?: number;
  readonly state: 'running' | 'done' | 'failed' | 'interrupted';
}

/** A program of this tool that the dashboard has started. */
export interface TaskView {
  readonly id: string;
  readonly kind: 'reload' | 'up' | 'watch';
  readonly services: readonly string[];
  readonly command: string;
  readonly start: string;
  /** The last lines that it printed. */
  readonly lines: readonly string[];
  readonly end?: string;
  /** Its result; undefined while it runs. */
  readonly exitCode?: number;
}

export interface ForwardView {
  readonly name: string;
  readonly port: number;
  readonly usage: string;
  /** Requests and connections that wait for a pod. */
  readonly held: number;
  /** Why they wait. */
  readonly why?: string;
}

export interface UsageView {
  /** Bytes and millicores, with the time of each sample in milliseconds since the epoch. */
  readonly samples: readonly { readonly at: number; readonly bytes: number; readonly millicores: number }[];
}
