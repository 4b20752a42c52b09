import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { argocdVersion, definitions } from '../../images/argocd/release.ts';
import { openStore } from '../../src/images/store/store.ts';
import { exitCodes, Failure } from '../../src/lib/failure.ts';
import { definitionsKey, ensureDefinitions } from '../../src/steps/ensure-definitions.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const run = { signal: new AbortController().signal, report: () => {} };
const unreachable = async () => {
  throw new Failure('it could not be downloaded', { exitCode: exitCodes.host });
};
const noModule = async () => {
  throw new Error('the module is not asked for');
};

async function makeStore() {
  const store = openStore(await makeTemporaryFolder());
  const kept = async () => readFile((await store.findFile(definitionsKey)) ?? '', 'utf8');
  return { store, kept };
}

test('they are downloaded once, each from the pinned version with its checksum', async () => {
  const { store, kept } = await makeStore();
  const asked: string[][] = [];
  const step = ensureDefinitions({
    store,
    go: { downloadModule: noModule },
    async download(url, sha256) {
      asked.push([url, sha256]);
      return Buffer.from(`from: ${url.split('/').at(-1)}`);
    },
  });
  expect(await step.isDone?.(run)).toBe(false);
  await step.apply(run);
  expect(asked).toEqual(
    definitions.map(({ file, sha256 }) => [
      `https://raw.githubusercontent.com/argoproj/argo-cd/v${argocdVersion}/manifests/crds/${file}`,
      sha256,
    ]),
  );
  expect(await kept()).toBe('from: application-crd.yaml\n---\nfrom: appproject-crd.yaml');
  expect(await step.isDone?.(run)).toBe('in the cache');
});

test('where they cannot be downloaded they come from the Go module, with the same checksums', async () => {
  const { store } = await makeStore();
  const module = await makeTemporaryFolder();
  await mkdir(join(module, 'manifests/crds'), { recursive: true });
  for (const { file } of definitions) await writeFile(join(module, 'manifests/crds', file), 'another');
  const asked: object[] = [];
  const step = ensureDefinitions({
    store,
    download: unreachable,
    go: {
      async downloadModule(wanted) {
        asked.push(wanted);
        return module;
      },
    },
  });
  await expect(step.apply(run)).rejects.toMatchObject({
    message: expect.stringMatching(
      /^github\.com\/argoproj\/argo-cd\/v3 v[\d.]+ (application|appproject)-crd\.yaml does not have the expected/,
    ),
    exitCode: 9,
  });
  expect(asked).toEqual([{ path: 'github.com/argoproj/argo-cd/v3', version: `v${argocdVersion}` }]);
  expect(await step.isDone?.(run)).toBe(false);
});

test('a download with another checksum is refused, and no other source is tried', async () => {
  const { store } = await makeStore();
  const step = ensureDefinitions({
    store,
    go: { downloadModule: noModule },
    async download() {
      throw new Failure('it has another checksum', { exitCode: exitCodes.refused });
    },
  });
  await expect(step.apply(run)).rejects.toMatchObject({ exitCode: 9 });
});
