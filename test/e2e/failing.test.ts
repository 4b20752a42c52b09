import { afterAll, beforeAll, describe, expect } from 'vitest';
import { listUnreadyPods, ours } from './cluster.ts';
import { request } from './ingress.ts';
import type { Ended } from './running.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

/*
 * Four services of one wave, each broken in a way that cannot heal. One `up` meets all four.
 */
const faults = `
  board-service:
    podSpec:
      initContainers:
        - name: prepare
          image: wealist.local/not-there:1
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }
  storage-service:
    resources: { requests: { cpu: "640" } }
`;
/** Of video-service, which the file has already. */
const missingKey = `
    env:
      MISSING: { valueFrom: { secretKeyRef: { name: wealist-shared-secret, key: NOT_THERE } } }`;

const checkout = sharedCheckout();
const changes: (() => Promise<void>)[] = [];
let origin = '';
let ended: Ended;

beforeAll(async () => {
  origin = (await checkout.up()).addresses[0]?.url ?? '';
  changes.push(
    await checkout.edit('helm/environments/local-kind.yaml', (text) =>
      text
        .replace(/^services:$/m, (key) => `${key}${faults}`)
        .replace(/^ {2}video-service:$/m, (key) => `${key}${missingKey}`),
    ),
    await checkout.edit(
      'services/chat-service/main.ts',
      (text) => `${text}\nthrow new Error('the moon is in the wrong phase');\n`,
    ),
  );
  ended = await checkout.run('up', '--yes');
});

const takeBack = async () => {
  for (const undo of changes.splice(0)) await undo();
};
afterAll(takeBack);

describe('services that cannot become ready', () => {
  test('end the run with exit code 8, long before its patience does', () => {
    process.stderr.write(
      `four services that cannot become ready: told after ${ended.seconds.toFixed(0)} s\n`,
    );
    expect(ended.exitCode).toBe(8);
    // The words of a wait that ran into its time-out.
    expect(ended.stderr).not.toMatch(/no progress for/);
    expect(ended.stderr).not.toContain('bug of wealist-local');
  });

  test.each([
    ['board-service', 'image pull failed: wealist.local/not-there:1', 'npm run images'],
    ['storage-service', 'insufficient cpu: requests 640', 'npm run kubectl -- describe nodes'],
    ['video-service', 'Secret wealist-shared-secret has no key NOT_THERE', 'npm run kubectl -- '],
    ['chat-service', 'the moon is in the wrong phase', 'npm run logs'],
  ])('%s: %s', (service, cause, next) => {
    const said = ended.stderr
      .split('\n✗ ')
      .find((each) => each.startsWith(`${service} did not become ready`));
    expect(said).toContain(cause);
    expect(said?.split('\n').findLast((line) => line.startsWith('  fix '))).toContain(next);
  });

  test('what ran before goes on serving', async () => {
    for (const route of ['board', 'storage', 'video', 'chat']) {
      expect(await request(`${origin}svc/${route}/health/ready`)).toMatchObject({ status: 200 });
    }
  });

  test('put right, up converges', async () => {
    await takeBack();
    const { stderr, exitCode } = await checkout.run('up', '--yes');
    expect({ stderr, exitCode }).toMatchObject({ exitCode: 0 });
    // The run before did end, with a failure.
    expect(stderr).not.toContain('did not end');
    expect(await listUnreadyPods(checkout, ...ours)).toEqual([]);
  });
});
