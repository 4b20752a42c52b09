import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keepBelongings } from '../../test/e2e/belongings.ts';
import { type Checkout, type CheckoutLocation, openCheckout } from '../../test/e2e/checkout.ts';
import { listObjects, listUnreadyPods } from '../../test/e2e/cluster.ts';
import { request } from '../../test/e2e/ingress.ts';
import { runOrFail } from '../../test/e2e/kill-commands.ts';
import { makePrivateCache } from '../../test/e2e/private-cache.ts';
import { useQuietPorts } from '../../test/e2e/quiet-ports.ts';
import type { Random } from '../../test/e2e/random.ts';
import { runVariable } from '../../test/e2e/run-processes.ts';
import type { Running } from '../../test/e2e/running.ts';
import { type Load, type LoadTarget, startLoad } from './load.ts';
import { firstSnapshot, operations, watchedService } from './operations.ts';
import { judgeSoak, type Sample, type SoakResult } from './report.ts';
import { sampleMachine } from './sample-machine.ts';
import { sampleNode } from './sample-node.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly random: Random;
  readonly say: (line: string) => void;
  /** Ends the soak after the current operation. */
  readonly signal: AbortSignal;
}

/** Milliseconds between two requests. */
const interval = 300;
/** Seconds between two operations, as of a user who looks at the result. */
const pause = { shortest: 4, longest: 12 };

/** Uses a new cluster of this checkout for some time, and judges whether anything grew. */
export async function soak(location: CheckoutLocation, options: SoakOptions): Promise<SoakResult> {
  const { minutes, seed, random, say, signal } = options;
  const cacheHome = await makePrivateCache(join(location.folder, 'cache'));
  const temporary = join(location.folder, 'tmp');
  await mkdir(temporary);
  const run = `soak-${seed}-${process.pid}`;
  const checkout = openCheckout(location, {
    XDG_CACHE_HOME: cacheHome,
    TMPDIR: temporary,
    [runVariable]: run,
  });

  say('up');
  await useQuietPorts(checkout);
  const origin = (await checkout.up()).addresses[0]?.url ?? '';
  const user = keepBelongings(checkout, () => origin);
  await user.add('before the soak');
  await user.query('INSERT INTO users (text) SELECT md5(i::text) FROM generate_series(1, 20000) i');
  await runOrFail(checkout, 'db', 'save', firstSnapshot);
  const before = await user.read();

  const running: Running[] = [];
  const counts = operations.map(({ title }) => ({ title, seconds: [] as number[] }));
  const samples: Sample[] = [];
  const failures: string[] = [];
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  let load: Load | undefined;
  let error: string | undefined;
  try {
    const forwarding = await startFollowing(checkout, running);
    const targets = listTargets(origin, forwarding);
    await requireAnswers(targets);
    load = startLoad(targets, interval);
    let waiting: readonly (typeof operations)[number][] = [];
    for (let number = 1; elapsed() < minutes * 60 && !signal.aborted; number += 1) {
      if (waiting.length === 0) {
        waiting = random.shuffle(operations.flatMap((each) => Array<typeof each>(each.share).fill(each)));
      }
      const [operation, ...rest] = waiting;
      if (!operation) throw new Error('there is nothing to do');
      waiting = rest;
      const begun = elapsed();
      try {
        await operation.run({ checkout, cacheHome, origin, user, load, number });
        counts.find(({ title }) => title === operation.title)?.seconds.push(elapsed() - begun);
        say(`${number} ${operation.title} ${(elapsed() - begun).toFixed(1)} s`);
      } catch (thrown) {
        // What follows is still worth knowing, provided that `up` brings everything back.
        const failure = `${number} ${operation.title}: ${describeError(thrown)}`;
        failures.push(failure);
        say(failure);
        await load.disturb(() => checkout.up());
      }
      await sleep(1000 * (pause.shortest + random.fraction() * (pause.longest - pause.shortest)));
      await waitUntilSettled(checkout);
      const machine = await sampleMachine({ checkout, cacheHome, temporary, running, run });
      samples.push({ seconds: elapsed(), values: { ...machine, ...(await sampleNode(checkout)) } });
    }
    const { snapshots, ...rest } = await user.read();
    const { snapshots: kept, ...expected } = before;
    if (
      JSON.stringify(rest) !== JSON.stringify(expected) ||
      !kept.every((name) => snapshots.includes(name))
    ) {
      throw new Error(`at the end there is ${JSON.stringify(rest)}, not ${JSON.stringify(expected)}`);
    }
  } catch (thrown) {
    error = describeError(thrown);
  }
  const seconds = elapsed();
  const requests = (await load?.stop()) ?? { sent: 0, failed: [], expected: 0 };
  for (const each of running) await each.kill();
  return judgeSoak({ seed, seconds, operations: counts, failures, requests, samples, error });
}

/** Starts the commands that a user leaves open. Resolves to the URL that `forward` prints. */
async function startFollowing(checkout: Checkout, running: Running[]): Promise<string> {
  const forwarding = checkout.start('forward', 'noti-service', '--json');
  const logging = checkout.start('logs');
  const watching = checkout.start('reload', watchedService.name, '--watch');
  running.push(forwarding, logging, watching);
  await watching.said(`${watchedService.name} already running`);
  await forwarding.said('"port":');
  const [, port] = /"port":(\d+)/.exec(forwarding.printed()) ?? [];
  return `http://127.0.0.1:${port}/`;
}

/** A page, a row, a session, an object, a service that calls others, and a connection through `forward`. */
function listTargets(origin: string, forwarding: string): readonly LoadTarget[] {
  return [
    { url: origin, expected: '<title>weAlist' },
    { url: `${origin}svc/user/api/users/1`, expected: 'before the soak' },
    { url: `${origin}svc/auth/api/auth/sessions`, expected: '"open":1' },
    { url: `${origin}svc/storage/api/storage/files/1/content`, expected: 'before the soak' },
    { url: `${origin}svc/${watchedService.route}/`, expected: watchedService.name },
    { url: forwarding, expected: 'noti-service' },
  ];
}

/** @throws {Error} when one does not answer as it must: every later request would fail as well. */
async function requireAnswers(targets: readonly LoadTarget[]): Promise<void> {
  for (const { url, expected } of targets) {
    const { status, body } = await request(url);
    if (status !== 200 || !body.includes(expected)) {
      throw new Error(`${url}: expected ${expected}, got ${status} ${body.slice(0, 200)}`);
    }
  }
}

/** Until no pod is on its way: one that ends still has its processes, files and rules. */
async function waitUntilSettled(checkout: Checkout): Promise<void> {
  const end = performance.now() + 90_000;
  for (;;) {
    const pods = await listObjects(checkout, 'pods');
    const leaving = pods.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
    const names = [...leaving.map(({ metadata }) => metadata.name), ...(await listUnreadyPods(checkout))];
    if (names.length === 0) return;
    if (performance.now() > end) throw new Error(`still not settled after 90 s: ${names.join(', ')}`);
    await sleep(1000);
  }
}

function describeError(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause === undefined ? thrown.message : `${thrown.message}: ${describeError(thrown.cause)}`;
}
