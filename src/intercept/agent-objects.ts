import { toAgentInstance, toAgentName } from '../diagnosis/intercept.ts';
import type { ServicePlace } from '../diagnosis/service-snapshot.ts';
import { instanceLabel } from '../lib/labels.ts';
import type { Deployment } from '../tools/kubernetes/objects.ts';

/** Port of the agent's pod for the tunnel, on its own loopback. */
export const tunnelPort = 15_999;

export interface AgentOptions {
  readonly deployment: Deployment;
  /** Port of the service. */
  readonly port: number;
  /** An image with Node.js that is on every node. */
  readonly image: string;
  /** Text of `agent.js`. */
  readonly program: string;
  /** Value of the Service's selector to which the agent sets it back. */
  readonly ownInstance: string;
}

const rbac = 'rbac.authorization.k8s.io';

/** Where the agent's objects are in the API, all of the same name, in the order in which they are created. */
function listCollections(namespace: string) {
  const inNamespace = (group: string, plural: string) => `/${group}/namespaces/${namespace}/${plural}`;
  return {
    account: inNamespace('api/v1', 'serviceaccounts'),
    role: inNamespace(`apis/${rbac}/v1`, 'roles'),
    binding: inNamespace(`apis/${rbac}/v1`, 'rolebindings'),
    policy: inNamespace('apis/networking.k8s.io/v1', 'networkpolicies'),
    pod: inNamespace('api/v1', 'pods'),
  };
}

/** Paths of the agent's objects. */
export function listAgentPaths({ namespace, name }: ServicePlace): readonly string[] {
  return Object.values(listCollections(namespace)).map((each) => `${each}/${toAgentName(name)}`);
}

/** An object with the path of its kind in the API. */
export interface ManagedObject {
  readonly collection: string;
  readonly object: { readonly metadata: { readonly name: string } } & Readonly<Record<string, unknown>>;
}

/**
 * The agent's pod, and what lets it set the Service back by itself: a role for that one object, and a network policy that
 * lets it reach the API server. All are removed with the Deployment. Its labels let it talk to what the service may talk
 * to, and keep it out of the Deployment, its HorizontalPodAutoscaler, its PodDisruptionBudget, and the logs.
 */
export function toAgentObjects(options: AgentOptions): readonly ManagedObject[] {
  const { deployment } = options;
  const { name: service, namespace = 'default', uid } = deployment.metadata;
  const name = toAgentName(service);
  const labels = {
    app: service,
    'app.kubernetes.io/name': service,
    [instanceLabel]: toAgentInstance(service),
  };
  const metadata = {
    name,
    namespace,
    labels,
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: service, uid }],
  };
  const collections = listCollections(namespace);
  return [
    {
      collection: collections.account,
      object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    },
    {
      collection: collections.role,
      object: {
        apiVersion: `${rbac}/v1`,
        kind: 'Role',
        metadata,
        rules: [{ apiGroups: [''], resources: ['services'], resourceNames: [service], verbs: ['patch'] }],
      },
    },
    {
      collection: collections.binding,
      object: {
        apiVersion: `${rbac}/v1`,
        kind: 'RoleBinding',
        metadata,
        roleRef: { apiGroup: rbac, kind: 'Role', name },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      },
    },
    {
      collection: collections.policy,
      object: {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata,
        spec: {
          podSelector: { matchLabels: { [instanceLabel]: labels[instanceLabel] } },
          policyTypes: ['Egress'],
          // The API server's address is not known to a policy: its Service's port, and the one behind it.
          egress: [{ ports: [443, 6443].map((port) => ({ port, protocol: 'TCP' })) }],
        },
      },
    },
    {
      collection: collections.pod,
      object: { apiVersion: 'v1', kind: 'Pod', metadata, spec: toPodSpec(options, { name, namespace }) },
    },
  ];
}

function toPodSpec(
  { deployment, port, image, program, ownInstance }: AgentOptions,
  { name, namespace }: { readonly name: string; readonly namespace: string },
) {
  const service = deployment.metadata.name;
  const env = {
    PORT: String(port),
    TUNNEL_PORT: String(tunnelPort),
    SERVICE: service,
    SERVICE_PATH: `/api/v1/namespaces/${namespace}/services/${service}`,
    OWN_INSTANCE: ownInstance,
    HINT: 'npm run status',
  };
  return {
    serviceAccountName: name,
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 2,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 10_001,
      runAsGroup: 10_001,
      seccompProfile: { type: 'RuntimeDefault' },
      // The frontend's port needs no capability then.
      sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }],
    },
    tolerations: deployment.spec.template.spec?.tolerations ?? [],
    containers: [
      {
        name: 'agent',
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['node', '--input-type=module', '--eval', program],
        ports: [{ name: 'http', containerPort: port }],
        env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
        // No readiness probe: the Service routes to it only after the tunnel was open.
        resources: { requests: { cpu: '1m', memory: '32Mi' }, limits: { memory: '256Mi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      },
    ],
  };
}
