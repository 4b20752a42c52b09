import {
  chmod,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { toCreatedFile, toCreation } from '../../src/cluster/creation.ts';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import { CommandFailure, Failure } from '../../src/lib/failure.ts';
import { findEngineRecord, writeEngineRecord } from '../../src/state/engine-record.ts';
import { acquireLock } from '../../src/state/lock.ts';
import { createCluster } from '../../src/steps/create-cluster.ts';
import { type Kind, PortTakenFailure } from '../../src/tools/kind.ts';
import { ApiFailure, type ApiServer } from '../../src/tools/kubernetes/api-server.ts';
import { makePod, makeStatus } from '../fakes/cluster-objects.ts';
import { createKindEngine } from '../fakes/kind-engine.ts';
import { noWatch } from '../fakes/watch.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const { signal } = new AbortController();
const checkout = join(import.meta.dirname, '../..');
const node = 'wealist-control-plane';

/** A machine without a cluster, on which `kind create` creates one. */
async function makeWorld() {
  const folder = await makeTemporaryFolder();
  const data = join(folder, 'data/wealist-local/wealist');
  const engine = createKindEngine({ data });
  const kubeconfig = join(folder, 'kubeconfig');
  const creation = await toCreation({
    paths: { checkout, data: join(folder, 'data/wealist-local') },
    checkoutId: 'mine',
    cluster: { name: 'wealist', httpPort: 80, httpsPort: 443, nodes: [] },
    image: 'wealist.local/node:1',
  });
  const lines: string[] = [];
  const state = {
    created: 0,
    answers: true,
    /** Namespaces of the cluster. */
    namespaces: ['default', 'kube-system', 'local-path-storage'],
    /** Whether kubeadm has written the kubeconfig on the node. */
    hasAdminConfig: true,
    hasKubeconfig: true,
    /** The error of `kind create`. */
    fails: undefined as Error | undefined,
    /** `kind create` waits for the control plane. */
    waits: false,
    /** Why the kubelet of the node does not run. */
    kubeletError: undefined as string | undefined,
    /** How often the kubelet was asked, and of these how often it said so. */
    asked: 0,
    failingAttempts: Number.POSITIVE_INFINITY,
    /** The engine that is recorded in the data folder while `kind create` runs. */
    recorded: undefined as object | undefined,
    early: [] as string[],
    loadEarly: async () => {},
    /** Start times of the pods' containers, one for each snapshot. */
    pods: [] as readonly string[],
  };
  const kind: Partial<Kind> = {
    async create(_config, { kubeconfig, run: { signal } }) {
      if (engine.names().includes(node)) throw new Error(`the name ${node} is taken`);
      state.created += 1;
      state.recorded = await findEngineRecord(data);
      engine.add(node, { cluster: 'wealist', owner: 'mine' });
      if (state.fails) throw state.fails;
      if (state.waits) await setTimeout(60_000, undefined, { signal }).catch(() => signal.throwIfAborted());
      // As kind does: whoever makes the file may write the kubeconfig.
      const lock = await open(`${kubeconfig}.lock`, 'wx');
      await lock.close();
      await rm(`${kubeconfig}.lock`);
      await writeFile(kubeconfig, 'made', { mode: 0o644 });
    },
    async kubeconfig() {
      if (state.hasAdminConfig) return 'of the node';
      throw new CommandFailure('kind', { argv: ['kind'], status: 1, stdout: '', stderr: 'no such file' });
    },
  };
  const api: Partial<ApiServer> = {
    async open(path) {
      expect(path).toBe('/readyz');
      if (!state.answers) throw new ApiFailure('the cluster does not answer');
      return Readable.from(['ok']);
    },
    async getMetadata(path) {
      expect(path).toBe('/api/v1/namespaces');
      return state.namespaces.map((name) => ({ metadata: { name, uid: name, creationTimestamp: '' } }));
    },
  };
  const step = createCluster({
    checkout: { checkout, state: folder },
    watch: noWatch,
    engine: { id: 'A', socket: '/run/a.sock' },
    toolchain: { docker: engine.docker, kind: kind as Kind },
    openApi: async () => {
      if (!state.hasKubeconfig) throw new Failure('there is no kubeconfig');
      return api as ApiServer;
    },
    ...{ name: 'wealist', checkoutId: 'mine', cache: join(folder, 'cache'), data, kubeconfig },
    incompleteTimeout: 1,
    kubeletWatch: { delay: 1, interval: 1 },
    creation: async () => creation,
    isRuntimeUp: async () => true,
    async findKubeletError(name) {
      state.asked += 1;
      const isFailing = engine.names().includes(name) && state.asked <= state.failingAttempts;
      return isFailing ? state.kubeletError : undefined;
    },
    async loadEarly(nodes) {
      state.early.push(...nodes);
      await state.loadEarly();
    },
    snapshots: {
      async take() {
        const started = state.pods[0] ?? '';
        if (state.pods.length > 1) state.pods = state.pods.slice(1);
        const containerStatuses = makeStatus({ state: { running: { startedAt: started } } });
        const pod = makePod('board-a', 'board-2', { spec: { nodeName: node }, containerStatuses });
        return createSnapshot(0, started === '' ? [] : [pod]);
      },
    },
  });
  const run = { signal, report: (line: string) => void lines.push(line) };
  return { engine, step, run, state, lines, kubeconfig, creation, data, cache: join(folder, 'cache') };
}

/** The same with a cluster whose creation was completed. */
async function makeCreated() {
  const world = await makeWorld();
  await world.step.apply(world.run);
  return world;
}

describe('without a cluster', () => {
  test('a cluster is created, images are loaded meanwhile, and only the user can read its kubeconfig', async () => {
    const { engine, step, run, state, kubeconfig, creation } = await makeWorld();
    expect(await step.isDone?.(run)).toBe(false);
    await step.apply(run);
    expect(engine.names()).toEqual([node]);
    expect(state.early).toEqual([node]);
    expect((await stat(kubeconfig)).mode & 0o777).toBe(0o600);
    expect(await readFile(creation.settings.kubelet, 'utf8')).toBe(creation.kubelet);
    const { patches } = creation.settings;
    expect(await readdir(patches)).toEqual([...creation.patches.keys()]);
    for (const [file, text] of creation.patches)
      expect(await readFile(join(patches, file), 'utf8')).toBe(text);
    expect(await step.isDone?.(run)).toBe('the API server responds');
  });

  test('no other user can enter the data folder, in which volumes can be written to by everyone', async () => {
    const { step, run, data } = await makeWorld();
    await mkdir(data, { recursive: true });
    await chmod(data, 0o755);
    await step.apply(run);
    expect((await stat(data)).mode & 0o777).toBe(0o700);
  });

  test('the lock of a kind that was killed while it wrote the kubeconfig does not prevent the next one', async () => {
    const { step, run, kubeconfig } = await makeWorld();
    await writeFile(`${kubeconfig}.lock`, '');
    await step.apply(run);
    expect(await readFile(kubeconfig, 'utf8')).toBe('made');
  });

  test('two creations at once are one after the other, whichever checkouts they are of', async () => {
    const { step, run, lines, state, cache } = await makeWorld();
    const other = await acquireLock(join(cache, 'locks/create-cluster.lock'), {
      command: 'create cluster other',
    });
    const creating = step.apply(run);
    await expect
      .poll(() => lines)
      .toContain(`waiting for process ${process.pid}, which is creating a cluster`);
    expect(state.created).toBe(0);
    await other.release();
    await creating;
    expect(state.created).toBe(1);
  });

  test('images that cannot be loaded yet are left to the step that loads images', async () => {
    const { step, run, state, lines } = await makeWorld();
    state.loadEarly = () => Promise.reject(new Error('no space left'));
    await step.apply(run);
    expect(lines).toContain('images are loaded later: no space left');
    expect(await step.isDone?.(run)).toBe('the API server responds');
  });

  test('a creation that failed can be repeated', async () => {
    const { step, run, state } = await makeWorld();
    state.fails = new CommandFailure('kind', { argv: ['kind'], status: 1, stdout: '', stderr: 'kubeadm' });
    await expect(step.apply(run)).rejects.toBe(state.fails);
    expect(await step.isDone?.(run)).toBe(false);
    state.fails = undefined;
    await step.apply(run);
    expect(state.created).toBe(2);
    expect(await step.isDone?.(run)).toBe('the API server responds');
  });
});

test('a creation that failed for a taken port leaves no node, which would keep the other ports', async () => {
  const { engine, step, run, state } = await makeWorld();
  state.fails = new PortTakenFailure(80, undefined);
  await expect(step.apply(run)).rejects.toBe(state.fails);
  expect(engine.names()).toEqual([]);
});

describe('kind fails', () => {
  const failure = new Failure('kind did not create the cluster', {
    cause: 'timed out waiting for the condition',
    hint: 'npm run doctor',
    exitCode: 5,
  });

  test('because the kubelet does not start: its last error is the cause, with what helps', async () => {
    const { step, run, state } = await makeWorld();
    state.fails = failure;
    state.kubeletError = 'failed to parse kubelet flag: unknown flag: --broken';
    await expect(step.apply(run)).rejects.toMatchObject({
      message: `kind did not create the cluster: the kubelet of ${node} does not start`,
      cause: state.kubeletError,
      hint: `docker exec ${node} journalctl --unit=kubelet --no-pager`,
      exitCode: 5,
    });
  });

  test.each([
    ['invalid configuration: cgroup ["kubelet"] has some missing controllers: hugetlb', 'npm run doctor'],
    ['inotify_init: too many open files', 'npm run doctor -- --fix'],
    ['running with swap on is not supported', 'sudo swapoff --all'],
    [
      'failed to get device for dir "/var/lib/kubelet": could not find device with major: 0, minor: 40 in cached partitions map',
      'add to kubeadmConfigPatches in kind/cluster.yaml: a KubeletConfiguration with localStorageCapacityIsolation: false',
    ],
  ])('the kubelet says: %s', async (error, hint) => {
    const { step, run, state } = await makeWorld();
    state.fails = failure;
    state.kubeletError = error;
    await expect(step.apply(run)).rejects.toMatchObject({ cause: error, hint });
  });

  test('a kubelet that keeps ending is not waited for', async () => {
    const { step, run, state } = await makeWorld();
    state.waits = true;
    state.kubeletError = 'failed to parse kubelet flag: unknown flag: --broken';
    await expect(step.apply(run)).rejects.toMatchObject({
      message: `kind did not create the cluster: the kubelet of ${node} does not start`,
      cause: state.kubeletError,
      exitCode: 5,
    });
    expect(state.asked).toBeGreaterThan(2);
  });

  test('a kubelet that starts at the third attempt is waited for', async () => {
    const stop = new AbortController();
    const { step, run, state, engine } = await makeWorld();
    state.waits = true;
    state.failingAttempts = 2;
    state.kubeletError = 'the container runtime does not respond';
    const creating = step.apply({ ...run, signal: stop.signal }).catch((error: unknown) => error);
    await expect.poll(() => state.asked).toBeGreaterThan(5);
    expect(engine.names()).toEqual([node]);
    stop.abort(new Error('interrupted'));
    expect(await creating).toMatchObject({ message: 'interrupted' });
  });

  test('while the kubelet runs: kind itself says why', async () => {
    const { step, run, state } = await makeWorld();
    state.fails = failure;
    await expect(step.apply(run)).rejects.toBe(failure);
  });
});

describe('the engine that uses the data folder', () => {
  test('is recorded before a container of it mounts the folder', async () => {
    const { step, run, state } = await makeWorld();
    await step.apply(run);
    expect(state.recorded).toEqual({ id: 'A', socket: '/run/a.sock' });
  });

  test('is not replaced by another one', async () => {
    const { step, run, state, data, engine } = await makeWorld();
    await writeEngineRecord(data, { id: 'B', socket: '/run/b.sock' });
    await expect(step.apply(run)).rejects.toMatchObject({ exitCode: 9 });
    expect({ created: state.created, names: engine.names() }).toEqual({ created: 0, names: [] });
    expect(await findEngineRecord(data)).toMatchObject({ id: 'B' });
  });
});

describe('a cluster that the engine is removing, as after a `down` that was killed,', () => {
  test('is awaited and created again', async () => {
    const { engine, step, run, state } = await makeCreated();
    engine.set(node, { state: 'removing' });
    expect(await step.isDone?.(run)).toBe(false);
    await step.apply(run);
    expect(state.created).toBe(2);
    expect(engine.stateOf(node)).toBe('running');
  });

  test('is created again also when that is seen only while it is resumed', async () => {
    const { engine, step, run, state } = await makeCreated();
    engine.set(node, { state: 'exited' });
    // Its removal begins between the look at it and the start.
    const { startContainer } = engine.docker;
    engine.docker.startContainer = async (id) => {
      engine.set(node, { state: 'removing' });
      await startContainer(id);
    };
    await step.apply(run);
    expect(state.created).toBe(2);
    expect(engine.stateOf(node)).toBe('running');
  });
});

test('an incomplete cluster of a killed run is replaced', async () => {
  const { engine, step, run, state, lines, creation } = await makeWorld();
  engine.add(node, { cluster: 'wealist', owner: 'mine' });
  // The record of a previous cluster, about another container.
  await mkdir(creation.settings.owner, { recursive: true });
  const { path, text } = toCreatedFile(creation, 'id-of-another');
  await writeFile(path, text);
  const before = engine.idOf(node);
  expect(await step.isDone?.(run)).toBe(false);
  await step.apply(run);
  expect(lines).toContain('replacing an incomplete cluster of a previous run');
  expect({ created: state.created, isOther: engine.idOf(node) !== before }).toEqual({
    ...{ created: 1, isOther: true },
  });
});

test.each<[string, Partial<Awaited<ReturnType<typeof makeWorld>>['state']>]>([
  ['whose API server does not respond', { answers: false }],
  ['without a kubeconfig', { hasAdminConfig: false }],
  ['without a namespace of ours', {}],
])('an incomplete cluster %s is replaced', async (_, is) => {
  const { engine, step, run, state, creation } = await makeWorld();
  engine.add(node, { cluster: 'wealist', owner: 'mine' });
  await mkdir(creation.settings.owner, { recursive: true });
  Object.assign(state, is);
  await step.apply(run);
  expect({ created: state.created, id: engine.idOf(node) }).toEqual({ created: 1, id: 'id-2' });
});

test.each(['running', 'exited', 'paused'] as const)(
  'a %s cluster that is in use is not replaced, even if no record says that it was completed',
  async (was) => {
    const { engine, step, run, state, creation } = await makeCreated();
    await rm(toCreatedFile(creation, '').path);
    engine.set(node, { state: was });
    state.namespaces.push('wealist-kind-local');
    await expect(step.apply(run)).rejects.toMatchObject({
      ...{ exitCode: 9, message: expect.stringContaining('cluster wealist is in use') },
      hint: 'npm run down, then npm run up: the data is preserved',
    });
    expect({ created: state.created, id: engine.idOf(node) }).toEqual({ created: 1, id: 'id-1' });
  },
);

describe('a cluster whose data folder', () => {
  test('is not that of this run is refused with both ways out, and not changed', async () => {
    const { engine, step, run, state, data } = await makeCreated();
    const other = join(data, "../../../it's another/wealist-local/wealist");
    await mkdir(join(other, 'owners/mine'), { recursive: true });
    engine.set(node, { data: other });
    const refusal = {
      ...{
        exitCode: 9,
        message: `cluster wealist has its data in ${other}, and the data folder of this run is ${data}`,
      },
      hint: expect.stringMatching(/^XDG_DATA_HOME='.*it'\\''s another' npm run up, or npm run down, which/),
    };
    await expect(async () => step.isDone?.(run)).rejects.toMatchObject(refusal);
    await expect(step.apply(run)).rejects.toMatchObject(refusal);
    expect({ created: state.created, id: engine.idOf(node) }).toEqual({ created: 1, id: 'id-1' });
  });

  test('does not exist is refused, running or stopped', async () => {
    const { engine, step, run, state, data } = await makeCreated();
    await rename(data, `${data}-elsewhere`);
    for (const was of ['running', 'exited'] as const) {
      engine.set(node, { state: was });
      await expect(step.apply(run)).rejects.toMatchObject({
        ...{
          exitCode: 9,
          message: `folder ${data}/owners/mine, which cluster wealist mounts, does not exist`,
        },
        hint: expect.stringMatching(
          /^bring the folder back, then npm run up; or npm run down, then npm run up/,
        ),
      });
    }
    expect({ created: state.created, id: engine.idOf(node) }).toEqual({ created: 1, id: 'id-1' });
  });

  test('was moved behind a symbolic link, or is named as in Docker Desktop, is the same', async () => {
    const { engine, step, run, data } = await makeCreated();
    await rename(data, `${data}-elsewhere`);
    await symlink(`${data}-elsewhere`, data);
    for (const name of [data, `${data}-elsewhere`, `/host_mnt${data}`]) {
      engine.set(node, { data: name });
      expect(await step.isDone?.(run)).toBe('the API server responds');
    }
  });
});

test.each<[string, string | undefined]>([
  ['another checkout', 'theirs'],
  ['another tool', undefined],
])('a cluster of %s is refused and not changed', async (_, owner) => {
  const { engine, step, run, state } = await makeWorld();
  engine.add(node, { cluster: 'wealist', owner, state: 'exited' });
  await expect(async () => step.isDone?.(run)).rejects.toMatchObject({ exitCode: 9 });
  await expect(step.apply(run)).rejects.toMatchObject({ exitCode: 9 });
  expect({ names: engine.names(), state: engine.stateOf(node), created: state.created }).toEqual({
    ...{ names: [node], state: 'exited', created: 0 },
  });
});

describe('a cluster that was created', () => {
  test.each(['exited', 'paused'] as const)('and is %s is started again', async (was) => {
    const { engine, step, run, state, kubeconfig } = await makeCreated();
    const before = engine.idOf(node);
    engine.set(node, { state: was });
    expect(await step.isDone?.(run)).toBe(false);
    await step.apply(run);
    expect(engine.stateOf(node)).toBe('running');
    expect({ created: state.created, id: engine.idOf(node) }).toEqual({ created: 1, id: before });
    expect(await readFile(kubeconfig, 'utf8')).toBe('of the node');
    expect((await stat(kubeconfig)).mode & 0o777).toBe(0o600);
  });

  test('and does not respond, or has no kubeconfig, is not done', async () => {
    const { step, run, state } = await makeCreated();
    state.answers = false;
    expect(await step.isDone?.(run)).toBe(false);
    Object.assign(state, { answers: true, hasKubeconfig: false });
    expect(await step.isDone?.(run)).toBe(false);
    state.hasKubeconfig = true;
    expect(await step.isDone?.(run)).toBe('the API server responds');
  });

  test('and was stopped: its pods count once they have been restarted', async () => {
    const { engine, step, run, state, lines } = await makeCreated();
    engine.set(node, { state: 'exited', startedAt: '2026-11-26T12:00:00Z' });
    state.pods = ['2026-11-26T11:00:00Z', '2026-11-26T12:00:05Z'];
    await step.apply(run);
    expect(lines.slice(-2)).toEqual(['0 of 1 pods restarted', '1 of 1 pods restarted']);
  });
});
