import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeFixtureBases, removeFixtureBases } from '../../test/e2e/fixture-bases.ts';
import { requestJson } from '../../test/e2e/ingress.ts';
import type { Bench, Benchmark } from './bench.ts';
import { type Figure, repeat } from './figure.ts';

const service = 'user-service';
const ways = {
  'by its Dockerfile': '',
  'by build: host': `services:
  ${service}:
    build: host
    host:
      run: go build -o {out}/api ./cmd/api
      in: services/${service}
      files: [{ from: "{out}/api", to: /usr/local/bin/api }]
`,
};

/**
 * Measures an edit of a Go service with the sources in test/fixtures/wealist, from `npm run reload` until the new response
 * through the ingress: built by its Dockerfile, and on this machine by `build: host`.
 */
export const measureCompiled: Benchmark = async (bench) => {
  const { checkout } = bench;
  const source = join(checkout.folder, 'wealist');
  const settings = join(checkout.root, 'env/local.yaml');
  await cp(resolve(import.meta.dirname, '../../test/fixtures/wealist'), source, { recursive: true });
  await makeFixtureBases(checkout);
  try {
    const figures: Figure[] = [];
    for (const [way, own] of Object.entries(ways)) {
      await writeFile(settings, `source: ${JSON.stringify(source)}\n${own}`);
      await checkout.up(service);
      figures.push({
        what: `reload of a Go service ${way}, edit → new response`,
        unit: 's',
        values: await repeat(bench.runs, (run) => reloadOnce(bench, source, `${way} ${run}`)),
        ...(own === '' ? {} : { target: 3 }),
      });
    }
    return figures;
  } finally {
    await rm(settings, { force: true });
    await checkout.up();
    await removeFixtureBases(checkout);
  }
};

/** Resolves to seconds. @throws {Error} if the reload fails or the response is still the former one. */
async function reloadOnce({ checkout, origin }: Bench, source: string, mark: string): Promise<number> {
  const file = join(source, 'services', service, 'cmd/api/main.go');
  // The source must be new, or its image would already exist.
  const greeting = `${mark} ${Date.now()}`;
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/Greeting: "[^"]*"/, `Greeting: ${JSON.stringify(greeting)}`));
  const start = performance.now();
  const { exitCode, stderr } = await checkout.run('reload', service);
  if (exitCode !== 0) throw new Error(stderr);
  const response = await requestJson<{ greeting: string }>(`${origin}svc/user/api/users`);
  if (response.greeting !== greeting) throw new Error(`responded with ${response.greeting} after the reload`);
  return (performance.now() - start) / 1000;
}
