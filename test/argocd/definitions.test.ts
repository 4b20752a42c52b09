import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { openStore } from '../../src/images/store/store.ts';
import { Failure } from '../../src/lib/failure.ts';
import { findPaths } from '../../src/state/paths.ts';
import { definitionsKey, ensureDefinitions } from '../../src/steps/ensure-definitions.ts';
import { exec } from '../../src/tools/exec.ts';
import { createGo } from '../../src/tools/go.ts';
import { readApps } from './apps.ts';
import { type Definition, findViolations, type Schema } from './definition-schema.ts';

/** Argo CD's own schemas by kind, from where `up` has them; undefined, and said, where they cannot be had. */
async function findSchemas(): Promise<ReadonlyMap<string, Schema> | undefined> {
  const { cache } = findPaths();
  const store = openStore(cache);
  const step = ensureDefinitions({ store, go: createGo(exec, join(cache, 'go')) });
  const run = { signal: AbortSignal.timeout(120_000), report: () => {} };
  try {
    if (!(await step.isDone?.(run))) await step.apply(run);
  } catch (error) {
    if (!(error instanceof Failure) || error.exitCode === 9) throw error;
    process.stderr.write(
      `\nSKIPPED: argocd/apps against Argo CD's definitions, which are neither to be downloaded nor in a Go module here: ${error.message}\n\n`,
    );
    return undefined;
  }
  const text = await readFile((await store.findFile(definitionsKey)) ?? '', 'utf8');
  const definitions = [...parseAllDocuments(text)].map((document) => document.toJS() as Definition);
  return new Map(
    definitions.map(({ spec }) => [spec.names.kind, spec.versions[0]?.schema.openAPIV3Schema ?? {}]),
  );
}

const schemas = await findSchemas();

test.skipIf(!schemas)(
  "the Applications and their project pass Argo CD's definitions, each key known",
  async () => {
    const apps = await readApps();
    const found = [...apps].map(([file, app]) => [file, findViolations(app, schemas?.get(app.kind) ?? {})]);
    expect(found.length).toBeGreaterThan(9);
    expect(found).toEqual([...apps.keys()].map((file) => [file, []]));
  },
);

test.skipIf(!schemas)('what is mistyped would not pass', () => {
  const schema = schemas?.get('Application') ?? {};
  const source = { repoURL: 'https://example.com/a.git', helm: { valuesFiles: ['a'] } };
  const spec = { project: 1, destination: {}, source };
  expect(findViolations({ metadata: { name: 'a' }, spec }, schema)).toEqual([
    '.spec.project: integer, expected string',
    '.spec.source.helm.valuesFiles: unknown',
  ]);
  expect(findViolations({ metadata: {}, spec: { source } }, schema)).toEqual([
    '.spec.destination: missing',
    '.spec.project: missing',
    '.spec.source.helm.valuesFiles: unknown',
  ]);
});
