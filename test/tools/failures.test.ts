import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { ownPlatform } from '../../src/lib/platform.ts';
import { installPackages } from '../../src/machine/changes/install-packages.ts';
import { createRoot } from '../../src/machine/changes/root.ts';
import { createDebian } from '../../src/tools/debian.ts';
import { buildWithDocker } from '../../src/tools/docker/build.ts';
import { createDockerCli } from '../../src/tools/docker/cli.ts';
import { type Exec, exec } from '../../src/tools/exec.ts';
import { createGit } from '../../src/tools/git.ts';
import { createGo } from '../../src/tools/go.ts';
import { createHelm, OutageFailure } from '../../src/tools/helm.ts';
import { createKind } from '../../src/tools/kind.ts';
import { ApiFailure } from '../../src/tools/kubernetes/api-server.ts';
import { createKubectl } from '../../src/tools/kubernetes/kubectl.ts';
import { createPostgres } from '../../src/tools/postgres.ts';
import { makeHost } from '../fakes/host.ts';
import { noWatch } from '../fakes/watch.ts';

const { signal } = new AbortController();
const run = { signal, report: () => {} };
const root = join(import.meta.dirname, '../..');

/** Every program prints this and fails; asked for its version, it succeeds. */
function failing(stderr: string): Exec {
  return (program, args, options = {}) => {
    const isVersion = /^(--)?version$|^env$/.test(args[0] ?? '');
    const script = isVersion ? 'exit 0' : 'printf "%s\\n" "$STDERR" >&2; exit 1';
    return exec('sh', ['-c', script, program], { ...options, env: { ...options.env, STDERR: stderr } });
  };
}

const missing: Exec = (program, args, options) => exec(`/nowhere/${program}`, args, options);

const access = { kubeconfig: 'kubeconfig', context: 'kind-wealist' };
const upgrade = {
  release: 'auth-service',
  chart: 'helm/charts/auth-service',
  namespace: 'wealist',
  valuesFiles: [],
  values: {},
  labels: {},
};

/** One call of each tool. */
const tools: Readonly<Record<string, (exec: Exec) => Promise<unknown>>> = {
  kubectl: (exec) => createKubectl(exec, { program: 'kubectl', ...access }).getJson(['pods'], signal),
  'kind get': (exec) => createKind(exec, { program: 'kind', env: {} }).kubeconfig('wealist', signal),
  'kind create': (exec) =>
    createKind(exec, { program: 'kind', env: {} }).create('', { kubeconfig: 'kubeconfig', run }),
  helm: (exec) => createHelm(exec, { program: 'helm', ...access }).upgrade(upgrade, signal),
  'docker load': (exec) =>
    createDockerCli(exec, { env: {}, watch: noWatch }).load(Readable.from(['tar']), signal),
  'docker exec': (exec) =>
    createDockerCli(exec, { env: {}, watch: noWatch }).exec('wealist-control-plane', ['ctr'], { signal }),
  'docker build': (exec) =>
    buildWithDocker(
      exec,
      { program: 'docker', buildKit: true },
      { context: '/src', dockerfile: '/src/Dockerfile', image: 'wealist.local/board:1' },
      { ...run, env: {} },
    ),
  git: (exec) => createGit(exec, root).readHead(['argocd'], signal),
  'git status': (exec) => createGit(exec, root).listUncommitted(['argocd'], signal),
  go: (exec) =>
    createGo(exec, '/cache').build({ package: 'example.test/a', version: 'v1' }, ownPlatform(), '/', run),
  'go mod': (exec) => createGo(exec, '/cache').downloadModule({ path: 'example.test/a', version: 'v1' }, run),
  async 'apt-get'(exec) {
    const { host } = await makeHost();
    const wanted = { id: 'a', title: 'a', why: 'a', packages: ['docker.io'] };
    await (await installPackages(createRoot({ ...host, isRoot: true }, exec), exec, wanted)).apply(run);
  },
  async sudo(exec) {
    const { host } = await makeHost();
    await createRoot({ ...host, isRoot: false, hasSudo: true }, exec).run('sysctl', ['-w', 'a=1']);
  },
  mmdebstrap: (exec) => {
    // The mirrors of this machine are found first.
    const mirrors: Exec = (program, ...rest) =>
      program === 'apt-get' ? Promise.resolve({ stdout: '', stderr: '' }) : exec(program, ...rest);
    return createDebian(mirrors).makeRoot(
      { suite: 'trixie', packages: ['git'], variant: 'extract' },
      'amd64',
      '/a',
      run,
    );
  },
  psql: (exec) => {
    const kubectl = createKubectl(exec, { program: 'kubectl', ...access });
    const place = { namespace: 'wealist', pod: 'postgres-0', container: 'postgres' };
    return createPostgres(exec, kubectl, place).run('SELECT 1;', signal);
  },
};

const daemon =
  'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?';
const denied =
  'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.47/containers/json": dial unix /var/run/docker.sock: connect: permission denied';

/** Tool, what it prints, exit code, hint. */
const failures: readonly (readonly [string, string, number, string | RegExp | undefined])[] = [
  [
    'kubectl',
    'Error from server (Forbidden): pods is forbidden: User "dev" cannot list resource "pods" in API group "" in the namespace "wealist-dev"',
    9,
    /kubectl auth can-i --list$/,
  ],
  [
    'kubectl',
    'error: You must be logged in to the server (the server has asked for the client to provide credentials)',
    5,
    /log in again/,
  ],
  [
    'kubectl',
    'Unable to connect to the server: getting credentials: exec: executable aws failed with exit code 255',
    5,
    'aws sso login',
  ],
  ['kubectl', 'Error from server (NotFound): pods "auth-service-1" not found', 5, 'npm run status'],
  [
    'kubectl',
    `error: the server doesn't have a resource type "applications"`,
    5,
    'npm run kubectl -- api-resources',
  ],
  [
    'kubectl',
    'Error from server (AlreadyExists): namespaces "wealist-kind-local" already exists',
    5,
    /run it again$/,
  ],
  [
    'kubectl',
    'Error from server (Conflict): Operation cannot be fulfilled on deployments.apps "auth-service": the object has been modified; please apply your changes to the latest version and try again',
    5,
    /run it again$/,
  ],
  [
    'kubectl',
    'error: Apply failed with 1 conflict: conflict with "helm" using apps/v1: .spec.replicas',
    5,
    /run it again$/,
  ],
  [
    'kubectl',
    'Error from server (Timeout): Timeout: request did not complete within requested timeout - context deadline exceeded',
    5,
    'npm run status',
  ],
  ['kubectl', 'Unable to connect to the server: net/http: TLS handshake timeout', 5, 'npm run status'],
  ['kubectl', 'Unable to connect to the server: dial tcp 10.0.0.1:443: i/o timeout', 5, 'npm run status'],
  ['kubectl', 'error: timed out waiting for the condition on jobs/migrate', 8, 'npm run why'],
  [
    'kubectl',
    'Error from server (BadRequest): container "auth-service" in pod "auth-service-1" is waiting to start: ContainerCreating',
    8,
    'npm run why',
  ],
  [
    'kubectl',
    'Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority',
    5,
    /^npm run up/,
  ],
  [
    'kubectl',
    'Unable to connect to the server: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-29T22:00:00Z is before 2026-11-30T00:00:00Z',
    5,
    /date --utc$/,
  ],
  [
    'kubectl',
    'The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?',
    5,
    'npm run status',
  ],
  [
    'kubectl',
    'Unable to connect to the server: dial tcp 10.0.0.1:443: connect: no route to host',
    5,
    /network or VPN/,
  ],
  [
    'kubectl',
    'Unable to connect to the server: dial tcp: lookup dev.example on 127.0.0.53:53: no such host',
    5,
    /network or VPN/,
  ],
  [
    'kubectl',
    'Error from server (BadRequest): error when creating "STDIN": admission webhook "validate.nginx.ingress.kubernetes.io" denied the request: host "_" and path "/" is already defined',
    9,
    /validatingwebhookconfigurations/,
  ],
  [
    'kubectl',
    'Error from server (InternalError): error when creating "STDIN": Internal error occurred: failed calling webhook "validate.nginx.ingress.kubernetes.io": failed to call webhook: Post "https://ingress.svc:443/": dial tcp 10.96.0.7:443: connect: connection refused',
    5,
    /mutatingwebhookconfigurations/,
  ],
  [
    'kubectl',
    'Error from server (Forbidden): error when creating "STDIN": pods "a" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
    9,
    /pod-security/,
  ],
  [
    'kubectl',
    'Error from server (Forbidden): error when creating "STDIN": configmaps "a" is forbidden: unable to create new content in namespace wealist because it is being terminated',
    5,
    /wait --for=delete/,
  ],
  [
    'kubectl',
    'The Deployment "auth-service" is invalid: spec.selector: Invalid value: v1.LabelSelector{}: field is immutable',
    5,
    /immutable/,
  ],
  [
    'kubectl',
    'error: error validating "STDIN": error validating data: unknown field "spec.replica"',
    5,
    /^correct the field/,
  ],
  [
    'kubectl',
    'Error from server (TooManyRequests): the server has received too many requests and has asked us to try again later',
    5,
    /in a minute$/,
  ],
  ['kubectl', 'error: unknown', 5, 'npm run status'],

  [
    'kind get',
    "ERROR: could not locate any control plane nodes for cluster named 'wealist'. Use the --name option to select a different cluster",
    5,
    'npm run up',
  ],
  [
    'kind get',
    'ERROR: command "docker exec --privileged wealist-control-plane cat /etc/kubernetes/admin.conf" failed with error: exit status 1\nCommand Output: Error response from daemon: container 3f0c is not running',
    5,
    'npm run up',
  ],
  [
    'kind get',
    `ERROR: failed to list clusters: command "docker ps" failed with error: exit status 1\nCommand Output: ${daemon}`,
    3,
    'npm run doctor -- --fix',
  ],
  [
    'kind create',
    'ERROR: failed to create cluster: node(s) already exist for a cluster with the name "wealist"',
    5,
    'npm run down, then npm run up',
  ],
  [
    'kind create',
    'ERROR: failed to create cluster: could not find a log line that matches "Reached target .*Multi-User System.*|detected cgroup v1"',
    5,
    'npm run doctor',
  ],
  [
    'kind create',
    'docker: Error response from daemon: driver failed programming external connectivity on endpoint wealist-control-plane: Bind for 127.0.0.1:8080 failed: port is already allocated.',
    4,
    'npm run up',
  ],
  ['kind create', `ERROR: failed to create cluster: ${denied}`, 3, /usermod/],
  [
    'kind create',
    'ERROR: failed to create cluster: failed to ensure docker network: command "docker network create" failed\nError response from daemon: could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network',
    3,
    'docker network prune, then npm run up',
  ],
  [
    'kind create',
    'Error response from daemon: driver failed programming external connectivity on endpoint wealist-control-plane: iptables failed: iptables --wait -t nat -A DOCKER: iptables: No chain/target/match by that name.',
    3,
    'sudo systemctl restart docker, then npm run up',
  ],
  ['kind create', 'Failed to create control group inotify object: too many open files', 3, 'npm run doctor'],
  [
    'kind create',
    'ERROR: failed to create cluster: failed to init node with kubeadm: command "docker exec" failed with error: exit status 1',
    5,
    'npm run doctor',
  ],

  [
    'helm',
    'Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress',
    6,
    /^npm run up/,
  ],
  [
    'helm',
    "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nauth-service:\n- at '': additional properties 'portt' not allowed",
    6,
    /env\/local\.yaml/,
  ],
  [
    'helm',
    'Error: execution error at (auth-service/templates/deployment.yaml:1:4): services.auth-service.port is missing',
    6,
    /^correct the template/,
  ],
  [
    'helm',
    'Error: Unable to continue with install: Secret "shared" in namespace "wealist" exists and cannot be imported into the current release: invalid ownership metadata; label validation error',
    6,
    'if nothing else needs it: npm run kubectl -- delete Secret shared --namespace=wealist, then npm run up',
  ],
  [
    'helm',
    'Error: UPGRADE FAILED: cannot patch "auth-service" with kind Deployment: Deployment.apps "auth-service" is invalid: spec.selector: Invalid value: field is immutable',
    6,
    'npm run kubectl -- delete Deployment auth-service --namespace=wealist, then npm run up',
  ],
  [
    'helm',
    "Error: UPGRADE FAILED: cannot patch \"postgres\" with kind StatefulSet: StatefulSet.apps \"postgres\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy' are forbidden",
    6,
    'npm run kubectl -- delete statefulset postgres --cascade=orphan --namespace=wealist, then npm run up',
  ],
  [
    'helm',
    'Error: Kubernetes cluster unreachable: Get "https://127.0.0.1:6443/version": dial tcp 127.0.0.1:6443: connect: connection refused',
    6,
    'npm run status',
  ],
  [
    'helm',
    'Error: looks like "https://charts.example" is not a valid chart repository or cannot be reached: Get "https://charts.example/index.yaml": dial tcp: lookup charts.example: no such host',
    6,
    'npm run doctor',
  ],
  ['helm', 'Error: uninstall: Release not loaded: auth-service: release: not found', 6, 'npm run status'],
  ['helm', 'Error: unknown', 6, 'npm run doctor'],

  ['docker load', daemon, 3, 'npm run doctor -- --fix'],
  ['docker load', denied, 3, /usermod/],
  ['docker load', 'write /layer.tar: no space left on device', 3, 'npm run images -- prune'],
  ['docker load', 'unknown', 3, undefined],
  ['docker exec', 'Error response from daemon: container 3f0c is not running', 5, 'npm run up'],
  ['docker exec', 'Error response from daemon: No such container: wealist-control-plane', 5, 'npm run up'],
  ['docker exec', 'ctr: cannot access containerd socket', 3, undefined],
  ['docker build', `ERROR: ${daemon}`, 7, 'npm run doctor -- --fix'],
  ['docker build', 'ERROR: failed to solve: process "/bin/sh -c npm ci" did not complete', 7, /docker$/],

  ['git', 'fatal: not a git repository (or any of the parent directories): .git', 2, /^git init/],
  [
    'git',
    "fatal: detected dubious ownership in repository at '/src'\nTo add an exception for this directory, call:",
    2,
    'git config --global --add safe.directory "$PWD"',
  ],
  ['git', "fatal: your current branch 'main' does not have any commits yet", 2, /^git init/],
  ['git status', "fatal: Unable to create '/src/.git/index.lock': File exists.", 2, /index\.lock/],
  ['git status', 'fatal: unknown', 2, undefined],

  ['go', 'go: example.test/a@v1 requires go >= 1.25.0 (running go 1.24.1; GOTOOLCHAIN=local)', 3, /newer Go/],
  [
    'go',
    'go: example.test/a@v1: Get "https://proxy.example/a/@v/v1.info": dial tcp: lookup proxy.example: no such host',
    7,
    'go env GOPROXY GOSUMDB',
  ],
  ['go', 'write $WORK/b001/_pkg_.a: no space left on device', 3, 'npm run images -- prune'],
  ['go mod', 'verifying example.test/a@v1: checksum mismatch\n\nSECURITY ERROR', 7, /GONOSUMDB/],

  [
    'apt-get',
    'E: dpkg was interrupted, you must manually run dpkg --configure -a to correct the problem.',
    3,
    'sudo dpkg --configure -a',
  ],
  [
    'apt-get',
    'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812 (apt-get)',
    3,
    /fuser/,
  ],
  ['apt-get', 'E: Unable to locate package docker.io', 3, /universe/],
  [
    'apt-get',
    'E: Failed to fetch http://deb.example/debian/dists/trixie/InRelease  Temporary failure resolving deb.example',
    3,
    'npm run doctor',
  ],
  ['sudo', 'sudo: a password is required', 3, 'sudo -v, then run it again'],
  ['sudo', 'sysctl: permission denied on key "a"', 3, undefined],
  [
    'mmdebstrap',
    'E: Temporary failure resolving deb.example\nE: mmdebstrap failed to run',
    7,
    'npm run doctor',
  ],
  ['mmdebstrap', 'E: mmdebstrap failed to run', 7, 'apt-get update'],

  [
    'psql',
    'ERROR:  syntax error at or near "SELEC"\ncommand terminated with exit code 3',
    8,
    'npm run logs postgres',
  ],
  ['psql', 'Error from server (NotFound): pods "postgres-0" not found', 5, 'npm run status'],
];

test.each(failures)('%s: %s', async (tool, stderr, exitCode, hint) => {
  const failure = await tools[tool]?.(failing(stderr)).catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: expect.stringContaining('Failure'), exitCode });
  const found = (failure as { readonly hint?: string }).hint;
  if (hint instanceof RegExp) expect(found).toMatch(hint);
  else expect(found).toBe(hint);
});

test.each(Object.keys(tools))('%s that is not installed is a failure of this machine', async (tool) => {
  const failure = await tools[tool]?.(missing).catch((error: unknown) => error);
  expect(failure).toMatchObject({ exitCode: 3 });
});

test('a program without failures of its own is one of this machine, with its output as the cause', async () => {
  await expect(exec('sh', ['-c', 'echo Forbidden >&2; exit 4'])).rejects.toMatchObject({
    ...{ message: 'sh ended with exit code 4', cause: 'Forbidden', hint: undefined, exitCode: 3, status: 4 },
  });
});

test('a time-out is a failure of the tool, the end by a signal one of this machine', async () => {
  const failures = { exitCode: 5, hint: 'npm run status', rules: [] } as const;
  await expect(exec('sleep', ['5'], { timeout: 50, failures })).rejects.toMatchObject({
    ...{ message: 'sleep timed out', hint: 'npm run status', exitCode: 5 },
  });
  await expect(exec('sh', ['-c', 'kill -9 $$'], { failures })).rejects.toMatchObject({
    ...{ message: 'sh was ended by SIGKILL', hint: undefined, exitCode: 3 },
  });
});

test.each([
  [
    'Error: UPGRADE FAILED: Get "https://127.0.0.1:6443/api": dial tcp 127.0.0.1:6443: connect: connection refused',
    true,
  ],
  ['Error: UPGRADE FAILED: Put "https://127.0.0.1:6443/apis/apps/v1": EOF', true],
  // What an API server that is just starting responds, in helm's words.
  [
    'Error: UPGRADE FAILED: unable to build kubernetes objects from new release manifest: error validating "": error validating data: failed to download openapi: unknown',
    true,
  ],
  ['failed calling webhook "validate.nginx": Post "https://a.svc:443/": connect: connection refused', true],
  [
    'looks like "https://charts.example" is not a valid chart repository or cannot be reached: connection refused',
    false,
  ],
  ['Error: UPGRADE FAILED: cannot patch "a" with kind Service: field is immutable', false],
])('helm: %s is an outage of the moment: %s', async (stderr, isOutage) => {
  const failure = await tools.helm?.(failing(stderr)).catch((error: unknown) => error);
  expect(failure instanceof OutageFailure).toBe(isOutage);
  expect(failure).toMatchObject({ exitCode: 6 });
});

/** Status and message of the API server; the same failure as kubectl prints it. */
test.each([
  [403, 'pods is forbidden: User "dev" cannot list resource "pods"', 'Error from server (Forbidden): '],
  [
    403,
    'pods "a" is forbidden: violates PodSecurity "restricted:latest": a',
    'Error from server (Forbidden): ',
  ],
  [401, 'Unauthorized', 'error: You must be logged in to the server (Unauthorized): '],
  [404, 'pods "a" not found', 'Error from server (NotFound): '],
  [409, 'pods "a" already exists', 'Error from server (AlreadyExists): '],
  [409, 'the object has been modified', 'Error from server (Conflict): '],
  [422, 'Deployment.apps "a" is invalid: spec.selector: field is immutable', ''],
  [429, 'the server has received too many requests', 'Error from server (TooManyRequests): '],
  [400, 'admission webhook "a.example" denied the request: no', 'Error from server (BadRequest): '],
  [500, 'Internal error occurred: failed calling webhook "a"', 'Error from server (InternalError): '],
  [504, 'request did not complete', 'Error from server (Timeout): '],
  [503, 'the server is currently unable to handle the request', 'Error from server (ServiceUnavailable): '],
])('status %i, %s, fails as kubectl does', async (status, message, prefix) => {
  const { exitCode, hint } = new ApiFailure(message, { status });
  const kubectl = await tools.kubectl?.(failing(`${prefix}${message}`)).catch((error: unknown) => error);
  expect(kubectl).toMatchObject({ exitCode, hint });
});

test.each([
  ['connect ECONNREFUSED 127.0.0.1:6443', 5, 'npm run status'],
  ['getaddrinfo ENOTFOUND dev.example', 5, 'check the network or VPN, then run it again'],
  ['self-signed certificate in certificate chain', 5, 'npm run up; for a remote cluster: npm run env trust'],
  ['no response in 10 s', 5, 'npm run status'],
])('a connection that ends with %s', (cause, exitCode, hint) => {
  expect(new ApiFailure('the cluster does not respond', { cause })).toMatchObject({ exitCode, hint });
});

/** Programs of the system whose failures are those of this machine, or no failure at all. */
const system = [
  'apt-cache',
  'docker',
  'dpkg',
  'dpkg-query',
  'du',
  'id',
  'install',
  'lsof',
  'mkdir',
  'rm',
  'start-stop-daemon',
  'sysctl',
  'systemctl',
  'usermod',
  ...['chown', 'mv', 'sh'],
];

test('each program that is run has its failures in the table above, or is one of the system', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const programs = files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [
      ...readFileSync(join(root, 'src', file), 'utf8').matchAll(/\b(?:exec|root\.run|run)\(\s*'([a-z-]+)'/g),
    ])
    .map(([, program = '']) => program);
  const known = new Set([...failures.map(([tool]) => tool.split(' ')[0]), ...system]);
  expect([...new Set(programs)].filter((program) => !known.has(program))).toEqual([]);
  expect(programs).toEqual(expect.arrayContaining(['docker', 'git', 'go', 'apt-get', 'mmdebstrap', 'sudo']));
});
