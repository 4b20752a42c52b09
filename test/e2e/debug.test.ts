import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { exec } from '../../src/tools/exec.ts';
import { docker, kubectl, listObjects, namespace } from './cluster.ts';
import { connectDelve } from './delve-client.ts';
import { makeFixtureBases, removeFixtureBases } from './fixture-bases.ts';
import { request } from './ingress.ts';
import { connectInspector, setBreakpoint } from './inspector-client.ts';
import { findOwnProcess, interrupt } from './intercepted.ts';
import type { Running } from './running.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
const source = join(checkout.folder, 'wealist');
const settings = join(checkout.root, 'env/local.yaml');
const jdk = 'wealist.local/fixture-jdk:1';
let origin = '';

beforeAll(async () => {
  origin = (await checkout.up()).addresses[0]?.url ?? '';
});

/** A base with a JDK made of this machine's, so that no registry is needed. */
async function makeJdk(): Promise<void> {
  const folder = join(checkout.folder, 'jdk');
  await mkdir(folder, { recursive: true });
  const modules = 'java.base,jdk.compiler,jdk.httpserver,jdk.jdwp.agent';
  await exec('jlink', [`--add-modules=${modules}`, `--output=${join(folder, 'jdk')}`]);
  await writeFile(
    join(folder, 'Dockerfile'),
    'FROM wealist.local/fixture-run:1\nCOPY jdk /opt/jdk\nENV PATH=/opt/jdk/bin:$PATH\n',
  );
  await docker('build', '--quiet', `--tag=${jdk}`, folder);
  await rm(folder, { recursive: true });
}

interface Result {
  readonly address: string;
  readonly port: number;
  readonly pod: string;
  readonly runtime: string;
  readonly configurations: { readonly vscode: object; readonly jetbrains: string; readonly delve?: string };
}

/** Starts the command until the end of the test. Resolves to it and what it has printed. */
async function debug(service: string, ...flags: string[]): Promise<{ running: Running; result: Result }> {
  const running = checkout.start('debug', service, '--json', ...flags);
  onTestFinished(() => running.kill());
  await running.said('open until Ctrl-C');
  return { running, result: JSON.parse(running.printed()) };
}

async function readPods(service: string) {
  const pods = await listObjects(checkout, 'pods', `--namespace=${namespace}`);
  return pods
    .filter(
      ({ metadata }) =>
        metadata.labels?.['app.kubernetes.io/name'] === service && !metadata.deletionTimestamp,
    )
    .map(({ metadata, status }) => ({
      name: metadata.name,
      restarts: status.containerStatuses?.reduce((sum, { restartCount }) => sum + restartCount, 0),
    }));
}

/** The Deployment's template and annotation. */
async function readDeployment(service: string) {
  const { stdout } = await kubectl(
    checkout,
    ...['get', 'deployment', service, `--namespace=${namespace}`, '--output=json'],
  );
  const { metadata, spec } = JSON.parse(stdout);
  return { mark: metadata.annotations['wealist.local/debug'], template: spec.template.spec };
}

describe('Node.js', () => {
  const service = 'noti-service';

  test('a breakpoint in the running program, without a restart, and in the next pod', async () => {
    const before = await readPods(service);
    const { running, result } = await debug(service);
    expect(result).toMatchObject({ runtime: 'node', pod: before[0]?.name });
    expect(result.configurations.vscode).toMatchObject({
      type: 'node',
      port: result.port,
      remoteRoot: '/app',
    });

    const hit = async () => {
      const client = await connectInspector(result.address);
      const line = await setBreakpoint(client, {
        script: '/app/main.js',
        text: 'Math.round(process.uptime())',
      });
      const response = request(`${origin}svc/noti/`);
      const { callFrames } = await client.next('Debugger.paused');
      expect((callFrames as { location: { lineNumber: number } }[])[0]?.location.lineNumber).toBe(line);
      await client.send('Debugger.resume');
      expect((await response).status).toBe(200);
      client.close();
    };
    await hit();
    expect(await readPods(service)).toEqual(before);

    await kubectl(checkout, 'rollout', 'restart', `--namespace=${namespace}`, `deployment/${service}`);
    await kubectl(checkout, 'rollout', 'status', `--namespace=${namespace}`, `deployment/${service}`);
    await hit();

    await interrupt(running);
    const ask =
      "fetch('http://127.0.0.1:9229/json').then(() => console.log('open'), () => console.log('closed'))";
    const target = ['exec', `--namespace=${namespace}`, `deployment/${service}`, '--', 'node', '--eval', ask];
    await expect.poll(async () => (await kubectl(checkout, ...target)).stdout.trim()).toBe('closed');
  });

  test('with --relax-probes a program may stand still, and at the end the pods are what they were', async () => {
    const before = await readDeployment(service);
    const { running } = await debug(service, '--relax-probes');
    const { mark, template } = await readDeployment(service);
    expect(mark).toContain('"pid"');
    expect(template.containers[0].livenessProbe.failureThreshold).toBe(1_000_000);
    await interrupt(running);
    expect(await readDeployment(service)).toEqual(before);
  });

  test('what is no program of a known kind is refused', async () => {
    const { exitCode, stderr } = await checkout.run('debug', 'no-such-service');
    expect({ exitCode }).toEqual({ exitCode: 2 });
    expect(stderr).toContain('no-such-service');
  });
});

describe('own programs', () => {
  beforeAll(async () => {
    await cp(resolve(import.meta.dirname, '../fixtures/wealist'), source, { recursive: true });
    const jvm = resolve(import.meta.dirname, '../fixtures/jvm');
    await cp(jvm, join(source, 'services/auth-service'), { recursive: true });
    await makeFixtureBases(checkout);
    await makeJdk();
  });
  afterAll(async () => {
    await rm(settings, { force: true });
    await checkout.up();
    await docker('image', 'rm', '--force', jdk);
    await removeFixtureBases(checkout);
  });

  test('start from their source', async () => {
    await writeFile(
      settings,
      `source: ${JSON.stringify(source)}\nservices: {${['user', 'chat', 'noti', 'storage', 'video'].map((name) => `${name}-service: {build: stand-in}`).join(', ')}, frontend: {build: stand-in}}\n`,
    );
    await checkout.up();
    expect((await request(`${origin}svc/auth/api/auth/x`)).body).toBe('java /api/auth/x');
  });

  test('Go: Delve attaches to the running program, which goes on afterwards', async () => {
    const before = await readPods('board-service');
    const { running, result } = await debug('board-service');
    expect(result).toMatchObject({
      runtime: 'go',
      configurations: { delve: `dlv connect ${result.address}` },
    });
    expect((await request(`${origin}svc/board/health/ready`)).status).toBe(200);

    const client = await connectDelve(result.port);
    await client.send('Command', { name: 'halt' });
    const functionName = 'example.com/wealist/platform.reply';
    await client.send('CreateBreakpoint', { Breakpoint: { functionName } }).catch(async () => {
      const { Funcs } = await client.send<{ Funcs: string[] }>('ListFunctions', {
        Filter: 'wealist/platform',
      });
      throw new Error(`no ${functionName} among:\n${Funcs.join('\n')}`);
    });
    const stopped = client.send<{ State: { currentThread: { function: { name: string } } } }>('Command', {
      name: 'continue',
    });
    const response = request(`${origin}svc/board/api/boards`);
    expect((await stopped).State.currentThread.function.name).toBe(functionName);
    await client.send('ClearBreakpoint', { Name: '', Id: 1 });
    void client.send('Command', { name: 'continue' }).catch(() => {});
    expect((await response).status).toBe(200);
    client.close();

    await interrupt(running);
    expect((await request(`${origin}svc/board/health/ready`)).status).toBe(200);
    expect((await readPods('board-service')).map(({ name }) => name)).toEqual(before.map(({ name }) => name));
  });

  test('JVM: jdb stops at a breakpoint; kill -9, and the next up takes the rollout back', async () => {
    const before = await readDeployment('auth-service');
    const { running, result } = await debug('auth-service');
    expect(result).toMatchObject({ runtime: 'jvm', configurations: { vscode: { type: 'java' } } });
    const jdb = spawn('jdb', ['-attach', result.address], { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void jdb.kill('SIGKILL'));
    let said = '';
    jdb.stdout.on('data', (chunk) => {
      said += chunk;
    });
    jdb.stdin.write('stop in Main.toText\n');
    await expect.poll(() => said, { timeout: 20_000 }).toContain('breakpoint Main.toText');
    const response = request(`${origin}svc/auth/api/auth/x`);
    await expect.poll(() => said, { timeout: 20_000 }).toMatch(/Breakpoint hit: .*Main\.toText/);
    jdb.stdin.write('clear Main.toText\ncont\n');
    expect((await response).body).toBe('java /api/auth/x');
    jdb.stdin.end('exit\n');
    await once(jdb, 'close');

    process.kill(await findOwnProcess(running), 'SIGKILL');
    await running.kill();
    expect((await readDeployment('auth-service')).mark).toContain('"pid"');
    await checkout.up();
    expect(await readDeployment('auth-service')).toEqual(before);
  });
});
