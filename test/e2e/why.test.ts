import { afterAll, beforeAll, describe, expect } from 'vitest';
import { WhyReport } from '../../src/commands/context/why/why-report.ts';
import { kubectl, namespace } from './cluster.ts';
import { type Cause, getWhyReport, patch, patchService, show, waitForCauses } from './faults.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

/*
 * What somebody broke by hand, all at once: `why` tells each from the others, and `up --repair` takes it all back.
 */
const checkout = sharedCheckout();

/** About whom, how the line reads, what shows it, what comes next. */
type Expected = readonly [about: string, line: RegExp, evidence: RegExp | undefined, next: RegExp];

const faults: readonly Expected[] = [
  ['board-service', /^image pull failed: wealist\.local\/not-there:1$/, undefined, /^npm run images$/],
  [
    'chat-service',
    /^out of memory \(OOMKilled\) \d+ times, limit 20Mi$/,
    undefined,
    /^raise services\.chat-service\.resources/,
  ],
  ['video-service', /^Secret wealist-shared-secret has no key NOT_THERE$/, undefined, /describe secret/],
  [
    'storage-service',
    /^readiness probe failed: connection refused on port 9999; container ports: 8003 \(http\)$/,
    /connection refused$/,
    /services\.storage-service\.probes\.readiness/,
  ],
  [
    'auth-service',
    /^readiness probe failed: HTTP 404 from \/nope on port 8080$/,
    /statuscode: 404$/,
    /services\.auth-service\.probes\.readiness/,
  ],
  [
    'noti-service',
    /^crashed \d+ times, exit code 3$/,
    undefined,
    /^npm run logs -- noti-service --previous$/,
  ],
  ['user-service', /^insufficient cpu: requests 640/, /^no node is large enough/, /describe nodes/],
  [
    'frontend',
    /^Service frontend has no endpoints: its selector matches no pod$/,
    /^the selector is app\.kubernetes\.io\/name=elsewhere;/,
    /^npm run up -- --repair$/,
  ],
];
const isOf =
  ([about, line]: Expected) =>
  (cause: Cause) =>
    cause.about === about && line.test(cause.line);

let report: WhyReport;

beforeAll(async () => {
  await checkout.up();
  await Promise.all([
    patchService(checkout, 'board-service', { image: 'wealist.local/not-there:1' }),
    patchService(checkout, 'chat-service', {
      resources: { requests: { memory: '20Mi' }, limits: { memory: '20Mi' } },
    }),
    patchService(checkout, 'video-service', {
      env: [
        { name: 'MISSING', valueFrom: { secretKeyRef: { name: 'wealist-shared-secret', key: 'NOT_THERE' } } },
      ],
    }),
    patchService(checkout, 'storage-service', { readinessProbe: { httpGet: { port: 9999 } } }),
    patchService(checkout, 'auth-service', { readinessProbe: { httpGet: { path: '/nope' } } }),
    patchService(checkout, 'noti-service', {
      command: ['node', '-e', 'console.error("the moon is in the wrong phase"); process.exit(3)'],
    }),
    patchService(checkout, 'user-service', { resources: { requests: { cpu: '640' } } }),
    patch(checkout, 'service/frontend', { spec: { selector: { 'app.kubernetes.io/name': 'elsewhere' } } }),
  ]);
  report = await waitForCauses(checkout, faults.map(isOf));
  show(report);
});
let isRepaired = false;
const repair = async () => {
  if (!isRepaired) await checkout.up('--repair');
  isRepaired = true;
};
afterAll(repair);

describe('eight faults at once', () => {
  test.each(faults)('%s: %s', (about, line, evidence, next) => {
    const cause = report.causes.find((each) => each.about === about);
    expect(cause?.line).toMatch(line);
    if (evidence) expect(cause?.evidence).toMatch(evidence);
    expect(cause?.next).toMatch(next);
    expect(cause?.affects).toEqual([about]);
  });

  test('are as many causes, in the form that its schema says', () => {
    expect(WhyReport.parse(report).causes).toHaveLength(faults.length);
  });

  test('a crash is told with its last lines', () => {
    expect(report.causes.find(({ about }) => about === 'noti-service')?.log).toContain(
      'the moon is in the wrong phase',
    );
  });

  test('of one service, its own; exit code 8', async () => {
    const { stdout, exitCode } = await checkout.run('why', 'video-service');
    expect(stdout).toMatch(/^✗ video-service: Secret wealist-shared-secret has no key NOT_THERE\n/);
    expect(stdout.match(/^✗/gm)).toHaveLength(1);
    expect(exitCode).toBe(8);
  });

  test('up --repair takes it all back; then there is one line, and exit code 0', async () => {
    await repair();
    const { stdout, exitCode } = await checkout.run('why');
    expect({ stdout, exitCode }).toEqual({
      stdout: expect.stringMatching(
        /^✔ all 8 services and their dependencies are ready, and respond at http:\S+\n$/,
      ),
      exitCode: 0,
    });
  });
});

test('Redis down is one cause, whoever waits for it', async () => {
  await kubectl(checkout, 'scale', `--namespace=${namespace}`, 'statefulset/redis', '--replicas=0');
  const { causes, next } = await waitForCauses(checkout, [
    ({ about, affects }) => about === 'redis' && affects.length === 6,
  ]);
  expect(causes).toMatchObject([
    {
      ...{ about: 'redis', state: 'failed', line: 'scaled to 0 replicas' },
      affects: expect.arrayContaining([
        'redis',
        'auth-service',
        'board-service',
        'chat-service',
        'noti-service',
        'video-service',
      ]),
    },
  ]);
  // The command that it names is the one that helps.
  await checkout.run('kubectl', ...(next ?? '').split(' ').slice(4));
  await checkout.up();
  expect((await getWhyReport(checkout)).causes).toEqual([]);
});
