import { once } from 'node:events';
import { request as send } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { WebSocket } from 'ws';
import type { CommandFailure } from '../../src/lib/failure.ts';
import { exec } from '../../src/tools/exec.ts';
import { contract } from '../helm/contract.ts';
import { chartsOf, environments, namespaceOf, namespaces, parseManifests, renderText } from '../helm/helm.ts';
import { getManifest, type Manifest } from '../helm/manifests.ts';
import { type Access, listAccess, listAllowed } from './access.ts';
import { kubeconfigOf, kubectl, kubectlOf, listObjects, namespace } from './cluster.ts';
import { request, requestJson } from './ingress.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
let origin = '';

beforeAll(async () => {
  const { addresses } = await checkout.up();
  origin = (addresses[0]?.url ?? '').replace(/\/$/, '');
  process.env.WEALIST_HELM = join(checkout.root, '.wealist/bin/helm');
});

const saying = (words: string) => expect.objectContaining({ stderr: expect.stringContaining(words) });

/** kubectl with something to read. */
async function feed(objects: readonly object[], ...args: string[]) {
  const input = objects.map((object) => JSON.stringify(object)).join('\n---\n');
  return exec(kubectlOf(checkout), [`--kubeconfig=${kubeconfigOf(checkout)}`, ...args, '--filename=-'], {
    input,
  });
}

describe('the roles', () => {
  const questions = listAccess([namespace, 'ingress-nginx']);
  const toKey = ({ verb, group, resource, namespace = '' }: Access) =>
    [namespace, group, resource, verb].join(' ');
  const may = (group: string, resource: string, ...verbs: string[]) =>
    verbs.map((verb) => toKey({ verb, group, resource, namespace }));
  const manage = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];

  test.each<[string, readonly string[]]>([
    [
      'developers',
      [
        ...may('', 'pods', 'get', 'list', 'watch'),
        ...may('', 'pods/log', 'get', 'list'),
        ...may('', 'pods/exec', 'get', 'create'),
      ],
    ],
    [
      'deployers',
      [
        ...may('apps', 'deployments', 'create', 'update'),
        ...may('', 'configmaps', ...manage),
        ...may('', 'secrets', ...manage),
      ],
    ],
    ['admins', questions.map(toKey)],
    ['strangers', []],
  ])('%s may do exactly what is theirs, whatever is asked', async (name, allowed) => {
    const answers = await listAllowed(checkout, `wealist:${name}`, questions);
    process.stderr.write(`${name}: ${answers.length} of ${questions.length} allowed\n`);
    expect(answers.map(toKey).toSorted()).toEqual([...allowed].toSorted());
  });

  const as = (name: string, ...args: string[]) =>
    kubectl(checkout, '--as=ada', `--as-group=wealist:${name}`, `--namespace=${namespace}`, ...args);

  test('a developer looks into a pod, and changes nothing', async () => {
    const [pod] = await listObjects(
      checkout,
      ...(['pods', `--namespace=${namespace}`, '--selector=app=auth-service'] as const),
    );
    const name = pod?.metadata.name ?? '';
    expect((await as('developers', 'get', 'pods', '--output=name')).stdout).toContain(name);
    expect((await as('developers', 'logs', name, '--tail=1')).stdout).not.toBe('');
    const { stdout } = await as('developers', 'exec', name, '--', 'node', '--print', '6 * 7');
    expect(stdout).toBe('42');
    for (const act of [
      ['delete', 'pod', name],
      ['get', 'secret', 'wealist-shared-secret'],
      ['scale', 'deployment/auth-service', '--replicas=0'],
      ['get', 'pods', '--namespace=ingress-nginx'],
    ]) {
      await expect(as('developers', ...act), act.join(' ')).rejects.toThrow(saying('forbidden'));
    }
  });

  test('a deployer changes a Deployment and its settings, and sees no pod', async () => {
    const { stdout } = await kubectl(
      checkout,
      ...['get', 'deployment', 'frontend', `--namespace=${namespace}`, '--output=json'],
    );
    await feed(
      [JSON.parse(stdout)],
      ...[
        '--as=ada',
        '--as-group=wealist:deployers',
        `--namespace=${namespace}`,
        'replace',
        '--dry-run=server',
      ],
    );
    await as('deployers', 'create', 'configmap', 'e2e-of-a-deployer', '--from-literal=a=b');
    await as('deployers', 'delete', 'configmap', 'e2e-of-a-deployer');
    for (const act of [
      ['get', 'pods'],
      ['exec', 'deployment/frontend', '--', 'true'],
      ['delete', 'deployment', 'frontend'],
      ['create', 'serviceaccount', 'e2e-of-a-deployer'],
    ]) {
      await expect(as('deployers', ...act), act.join(' ')).rejects.toThrow(saying('forbidden'));
    }
  });
});

describe('every environment on this API server', () => {
  const remote = environments.filter((name) => name !== 'local-kind' && name !== 'local-ubuntu');
  /** With the namespace that each would be installed into. */
  const rendered = new Map<string, readonly Manifest[]>();

  beforeAll(async () => {
    for (const environment of environments) {
      const charts = chartsOf(environment).map(async (chart) => {
        const manifests = parseManifests(await renderText(chart, { environment }));
        const own = namespaceOf(chart, environment);
        return manifests.map((manifest) => ({
          ...manifest,
          metadata: { ...toPlace(manifest, own), ...manifest.metadata },
        }));
      });
      rendered.set(environment, (await Promise.all(charts)).flat());
    }
    // Their namespaces are made as their charts say, so that what is in them can be asked about.
    await feed(
      remote.map((name) => getManifest(rendered.get(name) ?? [], 'Namespace', namespaces[name])),
      'apply',
    );
  });

  afterAll(async () => {
    const names = remote.map((name) => namespaces[name]);
    await kubectl(checkout, 'delete', 'namespace', '--wait=false', ...names);
  });

  test.each(environments)('%s: each object is accepted as it is, by the strictest reading', async (name) => {
    const objects = rendered.get(name) ?? [];
    const { stdout, stderr } = await feed(
      objects,
      ...['apply', '--server-side', '--dry-run=server', '--validate=strict', '--force-conflicts'],
    );
    expect(stdout.split('\n').filter(Boolean)).toHaveLength(objects.length);
    // Here the API server says whose pods do not keep to the Pod Security Standard of their namespace.
    expect(stderr).toBe('');
  });

  test('a field that Kubernetes does not know is refused, so that the reading is strict', async () => {
    const [deployment] = (rendered.get('dev') ?? []).filter(({ kind }) => kind === 'Deployment');
    const wrong = JSON.parse(JSON.stringify(deployment));
    wrong.spec.template.spec.containers[0].imagePullPolcy = 'Always';
    await expect(
      feed(
        [wrong],
        ...['apply', '--server-side', '--dry-run=server', '--validate=strict'],
        '--namespace=wealist-dev',
      ),
    ).rejects.toThrow(saying('imagePullPolcy'));
  });

  describe('lets in only pods of its level', () => {
    const pod = (name: string, settings: object, container: object = {}) => ({
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name } },
      spec: { ...settings, containers: [{ name: 'a', image: 'a:1', ...container }] },
    });
    const strict = {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      ...{ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    };
    const pods = [
      pod('privileged', {}, { securityContext: { privileged: true } }),
      pod('on-the-host', { hostNetwork: true }),
      pod('as-root', {}, { securityContext: { ...strict, runAsNonRoot: false, runAsUser: 0 } }),
      pod('careless', {}),
      pod('strict', {}, { securityContext: strict }),
    ];

    test.each<[string, readonly string[]]>([
      [namespace, ['privileged', 'on-the-host', 'as-root', 'careless']],
      ['wealist-prod', ['privileged', 'on-the-host', 'as-root', 'careless']],
      ['wealist-staging', ['privileged', 'on-the-host']],
      ['wealist-dev', ['privileged', 'on-the-host']],
    ])('%s refuses %s', async (where, refused) => {
      const created = await feed(pods, 'create', '--dry-run=server', `--namespace=${where}`).catch(
        (failure: CommandFailure) => failure,
      );
      const named = created.stderr.matchAll(/pods "([\w-]+)" is forbidden: violates PodSecurity/g);
      expect([...named].map(([, name]) => name)).toEqual(refused);
    });
  });
});

describe('the routes', () => {
  test('lead each path to its service, which sees it as it should', async () => {
    const mark = `e2e-${process.pid}`;
    const rows = contract
      .filter(([, destination]) => destination !== 'closed' && !destination.startsWith('s3 '))
      .map(([address, destination]) => ({
        address: withMark(address, mark),
        destination: withMark(destination, mark),
      }));
    for (const { address } of rows) {
      const slash = address.indexOf('/');
      await request(`${origin}${address.slice(slash)}`, { host: address.slice(0, slash) });
    }
    // Each service logs the path that it was asked for.
    const services = [...new Set(rows.map(({ destination }) => destination.split(' ')[0] ?? ''))];
    const read = async () => {
      const logs = services.map(async (name) => {
        const args = ['logs', `deployment/${name}`, `--namespace=${namespace}`, '--since=2m'];
        const { stdout } = await kubectl(checkout, ...args);
        const lines = stdout.split('\n').filter((line) => line.includes(mark));
        return lines.map((line) => `${name} ${JSON.parse(line).path}`);
      });
      return (await Promise.all(logs)).flat().toSorted();
    };
    await expect
      .poll(read, { timeout: 15_000, interval: 500 })
      .toEqual(rows.map(({ destination }) => destination).toSorted());
    process.stderr.write(`routes: ${rows.length} paths seen as they should be\n`);
  });

  test("board's WebSocket, under the browser's address", async () => {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/svc/board/api/boards/ws/project/7`);
    const [message] = await once(socket, 'message');
    expect(JSON.parse(String(message))).toEqual({ type: 'joined', project: 7 });
    socket.close();
  });

  test('events arrive one by one as they happen', async () => {
    const asking = send(`${origin}/svc/noti/api/notifications/stream`, {
      headers: { host: new URL(origin).host },
    });
    const [response] = await once(asking.end(), 'response');
    expect(response.headers['content-type']).toContain('text/event-stream');
    let heard = '';
    response.setEncoding('utf8').on('data', (text: string) => {
      heard += text;
    });
    await expect
      .poll(
        async () => {
          await requestJson(`${origin}/svc/noti/api/notifications`, { text: 'it happened' });
          return heard;
        },
        { timeout: 10_000, interval: 300 },
      )
      .toContain('it happened');
    asking.destroy();
  });

  test('an upload of 12 MB passes, through a service and straight to S3', async () => {
    const body = 'x'.repeat(12 * 1024 * 1024);
    const files = `${origin}/svc/storage/api/storage/files`;
    const { id, upload } = await requestJson<{ id: number; upload: string }>(files, { text: 'large' });
    const { status, body: said } = await request(`${files}/${id}/content`, { method: 'PUT', body });
    expect({ status, said: JSON.parse(said) }).toEqual({ status: 200, said: { id, bytes: body.length } });
    expect(await request(upload, { method: 'PUT', body })).toMatchObject({ status: 200 });
  });
});

/** The namespace of an object that has one. */
function toPlace({ kind }: Manifest, namespace: string): { readonly namespace?: string } {
  const isOfCluster = ['Namespace', 'ClusterRole', 'ClusterRoleBinding', 'IngressClass'].includes(kind);
  return isOfCluster ? {} : { namespace };
}

/** The path goes on with something that only this run asks for. */
function withMark(path: string, mark: string): string {
  return `${path.replace(/\/$/, '')}/${mark}`;
}
