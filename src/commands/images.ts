import { type App, defineCommand } from '../cli/command.ts';
import { yes } from '../cli/options.ts';
import type { ImageName } from '../config/catalog.ts';
import { planPruning, prune } from '../images/store/prune.ts';
import { toBytes } from '../lib/bytes.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { findNearest } from '../lib/nearest.ts';
import { toReference, toTagged } from '../lib/reference.ts';
import { getEngine } from '../machine/engine.ts';
import type { Step } from '../plan/plan.ts';
import { buildService } from '../steps/build-service.ts';
import { ensureImage, ensureNodeImage } from '../steps/ensure-image.ts';
import { createDocker } from '../tools/docker/docker.ts';
import { connectImages } from './context/up-deps.ts';
import { describeImages, listImages, listNeededNames } from './images/list-images.ts';

export const command = defineCommand({
  description:
    'Without an action it lists every image. build pulls the named images (default: all that `up` needs), or builds them from packages if they cannot be pulled. prune removes from the cache and the engine what no checkout has used for 14 days, and the cache of BuildKit. accept records the new digest of an image that has changed in its registry.',
  arguments: {
    action: { value: 'action', summary: 'what to do', choices: ['list', 'build', 'prune', 'accept'] },
    names: { value: 'image', summary: 'images to build, or the image to accept with its digest', many: true },
  },
  options: {
    all: { summary: "prune everything that can be rebuilt, including Go's caches" },
    yes,
  },
  examples: ['npm run images', 'npm run images build traefik', 'npm run images -- prune --all'],

  async run(app, { action = 'list', names, all, yes: confirmed }) {
    if (all && action !== 'prune') refuse('--all requires the action prune', 'npm run images -- prune --all');
    if (names.length > 0 && action !== 'build' && action !== 'accept') {
      refuse(`${action} takes no names`, `npm run images ${action}`);
    }
    switch (action) {
      case 'build':
        return app.exclusively(() => build(app, names), { usesCache: true });
      case 'prune':
        return app.exclusively(() => pruneImages(app, all, confirmed));
      case 'accept':
        return app.exclusively(() => accept(app, names));
      default:
        return list(app);
    }
  },
});

async function list(app: App): Promise<void> {
  const listing = await listImages(app, await connectImages(app));
  app.ui.result(listing, describeImages(listing));
}

async function build(app: App, names: readonly string[]): Promise<void> {
  const connection = await connectImages(app);
  const { environment, images, serviceImages, engine, host } = connection;
  const known = [...Object.keys(images.catalog), ...Object.keys(environment.services)];
  for (const name of names) if (!known.includes(name)) refuseName(name, known);
  if (!engine) await getEngine(host, { signal: app.signal });
  const wanted = names.length > 0 ? names : await listNeededNames(app, connection);
  const steps = wanted.map((name): Step => {
    if (name === 'node') return ensureNodeImage(images.chain);
    if (name in images.catalog) return ensureImage(images.chain, name as ImageName);
    return buildService(serviceImages, name);
  });
  const { steps: done } = await app.runPlan([{ title: 'Images', steps }]);
  const made = done.filter(({ skipped }) => skipped === undefined).map(({ step }) => step);
  app.ui.result(
    { made },
    made.length === 0 ? 'all images are already present' : `pulled or built: ${made.join(', ')}`,
  );
}

async function pruneImages(app: App, all: boolean, confirmed: boolean): Promise<void> {
  const { images, engine } = await connectImages(app);
  const docker = engine && createDocker(engine, app.exec);
  const deps = { ...images, docker, exec: app.exec, cache: app.paths.cache };
  const pruning = await planPruning(deps, { all, signal: app.signal });
  let removed = pruning;
  if (pruning.items.length > 0) {
    const lines = pruning.items.map(
      ({ what, bytes }) => `${what}: ${bytes === 0 ? 'removed' : toBytes(bytes)}`,
    );
    await app.confirmChanges(lines, confirmed);
    await app.runPlan([
      {
        title: 'Prune',
        steps: [
          {
            title: 'remove',
            async apply(run) {
              removed = await prune(deps, { all, confirmed: pruning }, run);
            },
          },
        ],
      },
    ]);
  }
  const freed = removed.items.reduce((total, { bytes }) => total + bytes, 0);
  app.ui.result(
    { freed, removed: removed.items },
    pruning.items.length === 0 ? 'nothing to remove' : `freed ${toBytes(freed)}`,
  );
}

async function accept(app: App, [name, ...more]: readonly string[]): Promise<void> {
  const reference = toReference(name ?? '');
  if (!reference?.digest || more.length > 0) {
    refuse(
      'accept requires one image with its tag and digest',
      'npm run images -- accept docker.io/library/redis:8.0.3-bookworm@sha256:…',
    );
  }
  const { images } = await connectImages(app);
  await images.digests.record(toTagged(reference), reference.digest);
  app.ui.result({ accepted: name }, `${toTagged(reference)} is now ${reference.digest}; npm run up pulls it`);
}

function refuseName(name: string, known: readonly string[]): never {
  const nearest = findNearest(name, known);
  refuse(
    `${JSON.stringify(name)} is not an image${nearest === undefined ? '' : `, nearest is ${nearest}`}`,
    `images: ${known.join(', ')}`,
  );
}

function refuse(message: string, hint: string): never {
  throw new Failure(message, { hint, exitCode: exitCodes.usage });
}
