import { randomBytes } from 'node:crypto';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { $ } from 'zx';
import { baseOf, loadBase } from '../../test/e2e/base-image.ts';
import { docker, kubeconfigOf } from '../../test/e2e/cluster.ts';
import type { Bench, Benchmark } from './bench.ts';
import { type Figure, repeat, time } from './figure.ts';

const service = 'noti-service';
const sizes = [20, 300, 700];

/** Loads a small change in images of several sizes, with `reload` and with `kind load`. */
export const measureLoad: Benchmark = async (bench) => {
  const { checkout } = bench;
  const source = join(checkout.folder, 'source');
  const folder = join(source, 'services/noti-service');
  const base = baseOf(checkout);
  await loadBase(checkout);
  const local = join(checkout.root, 'env/local.yaml');
  try {
    const figures: Figure[] = [];
    for (const size of sizes) {
      await makeSource(folder, base, size);
      await writeFile(local, `source: ${JSON.stringify(source)}\n`);
      // A reload does not change a stand-in into a program of its own.
      await checkout.up(service);
      figures.push(...(await measureSize(bench, folder, size)));
    }
    return figures;
  } finally {
    await rm(local, { force: true });
    await rm(source, { recursive: true, force: true });
    await checkout.up();
    const built = await docker('images', '--format={{.Repository}}:{{.Tag}}', `wealist.local/${service}`);
    await docker('image', 'rm', '--force', base, ...built);
  }
};

async function measureSize(
  { checkout, longRuns }: Bench,
  folder: string,
  size: number,
): Promise<readonly Figure[]> {
  const ours = await repeat(longRuns, async (run) => {
    await writeServer(folder, `ours ${run}`);
    const { stdout, stderr, exitCode } = await checkout.run('reload', service, '--json');
    if (exitCode !== 0) throw new Error(stderr);
    return JSON.parse(stdout).services[0].phases.load / 1000;
  });
  const kind = join(checkout.root, '.wealist/bin/kind');
  const theirs = await repeat(longRuns, async (run) => {
    await writeServer(folder, `theirs ${run}`);
    const image = `wealist.local/${service}:bench-${run}`;
    const dockerfile = join(folder, 'docker/Dockerfile');
    await docker('build', '--quiet', `--tag=${image}`, `--file=${dockerfile}`, join(folder, '../..'));
    const env = { ...checkout.env, KUBECONFIG: kubeconfigOf(checkout) };
    return time(() => $({ env, quiet: true })`${kind} load docker-image ${image} --name=${checkout.name}`);
  });
  return [
    { what: `load of a small change, ${size} MB image`, unit: 's', values: ours, target: 0.5 },
    { what: '  kind load docker-image', unit: 's', values: theirs },
  ];
}

/** Writes a Dockerfile with a large first layer and the program in the last layer. */
async function makeSource(folder: string, base: string, size: number): Promise<void> {
  await mkdir(join(folder, 'docker'), { recursive: true });
  // Random bytes cannot be compressed.
  const file = await open(join(folder, 'large.bin'), 'w');
  for (let each = 0; each < size; each += 1) await file.write(randomBytes(1_000_000));
  await file.close();
  await writeServer(folder, 'first');
  await writeFile(
    join(folder, 'docker/Dockerfile'),
    `FROM ${base}
COPY services/noti-service/large.bin /srv/large.bin
COPY services/noti-service/server.js /srv/server.js
CMD ["node", "/srv/server.js"]
`,
  );
}

async function writeServer(folder: string, mark: string): Promise<void> {
  await writeFile(
    join(folder, 'server.js'),
    `const { createServer } = require('node:http');
const server = createServer((request, response) => response.end(${JSON.stringify(mark)})).listen(8002);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`,
  );
}
