import { type Finding, toKubectlLine } from './finding.ts';

/** The fields of Argo CD's Application that this tool reads, as kubectl prints them. */
export interface Application {
  readonly metadata: {
    readonly name: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly status?: {
    readonly sync?: { readonly status?: string; readonly revision?: string };
    readonly health?: { readonly status?: string; readonly message?: string };
    readonly conditions?: readonly { readonly type: string; readonly message: string }[];
    readonly operationState?: {
      readonly phase?: string;
      readonly message?: string;
      readonly retryCount?: number;
    };
  };
}

/** The annotation that makes Argo CD refresh an Application at once; Argo CD removes it after the refresh. */
export const refreshAnnotation = 'argocd.argoproj.io/refresh';

export interface ApplicationVerdict extends Pick<Finding, 'line' | 'evidence' | 'next'> {
  /** `failed`: Argo CD reports an error. Argo CD retries, so that the next verdict may be better. */
  readonly state: 'ready' | 'waiting' | 'failed';
}

/** Compares an Application with the commit that it should be synced to. */
export function judgeApplication(
  name: string,
  application: Application | undefined,
  { namespace, revision }: { readonly namespace: string; readonly revision: string },
): ApplicationVerdict {
  const next = toKubectlLine(namespace, 'describe', 'application', name);
  const waiting = (line: string) => ({ state: 'waiting', line: `${name}: ${line}` }) as const;
  if (!application) return waiting('not created yet');
  const { metadata, status = {} } = application;
  if (metadata.deletionTimestamp !== undefined) return waiting('being deleted');
  if (metadata.annotations?.[refreshAnnotation] !== undefined) return waiting('refreshing');

  const { sync = {}, health = {}, conditions = [], operationState = {} } = status;
  const failed = (line: string, evidence: string | undefined) => {
    return { state: 'failed', line: `${name}: ${line}`, next, ...(evidence ? { evidence } : {}) } as const;
  };
  const error = conditions.find(({ type }) => type.endsWith('Error'));
  if (error) return failed(error.type, error.message);
  const { phase = '', message, retryCount = 0 } = operationState;
  if (
    sync.status !== 'Synced' &&
    (/^(Failed|Error)$/.test(phase) || (phase === 'Running' && retryCount > 0))
  ) {
    return failed('sync failed', message);
  }
  if (sync.status !== 'Synced') return waiting(phase === 'Running' ? (message ?? 'syncing') : 'out of sync');
  if (sync.revision !== revision) return waiting(`at commit ${sync.revision?.slice(0, 7)}`);
  if (health.status === 'Degraded') return failed('degraded', health.message);
  if (health.status !== 'Healthy') return waiting(health.status?.toLowerCase() ?? 'health unknown');
  return { state: 'ready', line: `${name}: synced and healthy` };
}
