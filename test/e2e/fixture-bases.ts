import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from '../../src/tools/exec.ts';
import { baseOf, loadBase } from './base-image.ts';
import type { Checkout } from './checkout.ts';
import { docker } from './cluster.ts';

/** The base images of `test/fixtures/wealist`: of the programs that run, and of Go's compiler. */
const images = { run: 'wealist.local/fixture-run:1', go: 'wealist.local/fixture-go:1' };

/** Makes them from the stand-ins' base image and this machine's Go, so that no registry is needed. */
export async function makeFixtureBases(checkout: Pick<Checkout, 'name' | 'folder'>): Promise<void> {
  await loadBase(checkout);
  const folder = join(checkout.folder, 'bases');
  await mkdir(folder, { recursive: true });
  await build(join(folder, 'run'), images.run, folder, `FROM ${baseOf(checkout)}\nUSER root\n`);
  const { stdout } = await exec('go', ['env', 'GOROOT']);
  await build(
    join(folder, 'go'),
    images.go,
    stdout.trim(),
    `FROM ${images.run}\nCOPY . /usr/local/go\nENV PATH=/usr/local/go/bin:$PATH GOTOOLCHAIN=local GOPROXY=off HOME=/root\n`,
  );
}

async function build(file: string, image: string, context: string, text: string): Promise<void> {
  await writeFile(file, text);
  await docker('build', '--quiet', `--tag=${image}`, `--file=${file}`, context);
}

/** Removes them, and what was built on them. */
export async function removeFixtureBases(checkout: Pick<Checkout, 'name' | 'folder'>): Promise<void> {
  await docker('image', 'rm', '--force', images.go, images.run, baseOf(checkout));
  await rm(join(checkout.folder, 'bases'), { recursive: true, force: true });
}
