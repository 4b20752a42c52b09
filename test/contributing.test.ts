import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Dependencies } from '../services/common/dependency.ts';
import type { ServiceDefinition } from '../services/common/service.ts';
import { loadHelmValues } from '../src/config/helm-values.ts';
import { loadEnvironment } from '../src/config/load.ts';
import { valuesFiles } from '../src/config/values.ts';
import { readGitSource, toApplicationFile, toApplicationText, toSyncWaves } from './argocd/application.ts';
import { findHelm, parseManifests } from './helm/helm.ts';
import { getManifest, listIngresses, listServices, type Manifest } from './helm/manifests.ts';
import { lets } from './helm/policies.ts';
import { tableFile } from './service-table.ts';
import { fetchJson, startTested } from './services/start.ts';

const repository = resolve(import.meta.dirname, '..');
const guide = await readFile(join(repository, 'CONTRIBUTING.md'), 'utf8');

describe('a service that is added as CONTRIBUTING.md says', () => {
  const name = 'example-service';
  const text = sectionOf(guide, 'Add a service');
  /** The files of the section's table. */
  const listed = [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, file = '']) => file);
  let copy: string;
  let before: ReadonlyMap<string, string>;

  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'wealist-test-'));
    for (const folder of ['helm', 'env', 'services', 'argocd'])
      await cp(join(repository, folder), join(copy, folder), {
        ...{ recursive: true, verbatimSymlinks: true },
        // A person's own.
        filter: (path) => !path.endsWith('env/local.yaml'),
      });
    before = await readTree(copy);
    for (const { language, content, file } of blocksOf(text, listed)) {
      if (language === 'sh') execFileSync('sh', ['-e'], { cwd: copy, input: content });
      else if (file === tableFile) await addToTable(content);
      else await write(file, content);
    }
    // As the command that the section names does in the checkout.
    const { services } = parse(await readFile(join(copy, tableFile), 'utf8')).exports.defaults;
    const source = await readGitSource(copy);
    for (const [chart, wave] of toSyncWaves(services))
      await write(toApplicationFile(chart), toApplicationText(chart, wave, source));
  });
  afterAll(() => rm(copy, { recursive: true, force: true }));

  async function write(file: string, content: string): Promise<void> {
    await mkdir(dirname(join(copy, file)), { recursive: true });
    await writeFile(join(copy, file), content);
  }

  async function addToTable(entry: string): Promise<void> {
    const table = await readFile(join(copy, tableFile), 'utf8');
    await write(tableFile, table.replace('\n      frontend:\n', `\n${entry}      frontend:\n`));
  }

  const render = (chart: string, environment: string): readonly Manifest[] => {
    const own = join(repository, 'test/helm/values');
    const files = valuesFiles({
      checkout: copy,
      environment: { name: environment },
      ...(environment === 'local-kind'
        ? { secrets: join(own, 'secrets.yaml'), generated: join(own, 'images.yaml') }
        : {}),
    });
    const values = files.map((file) => `--values=${file}`);
    const args = ['template', chart, join(copy, 'helm/charts', chart), '--namespace=ours', ...values];
    return parseManifests(
      execFileSync(findHelm(), args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    );
  };

  it('takes the listed files, and no other', async () => {
    const after = await readTree(copy);
    const touched = [...after].filter(([file, content]) => before.get(file) !== content);
    expect(touched.map(([file]) => file).sort()).toEqual(listed.toSorted());
    expect([...before.keys()].filter((file) => !after.has(file))).toEqual([]);
  });

  it('is in every environment, by what its entry says', async () => {
    for (const environment of ['local-kind', 'dev', 'prod']) {
      const loaded = await loadEnvironment({ checkout: copy, name: environment });
      expect(loaded.services[name]).toMatchObject({
        ...{ port: 8099, route: 'example', needs: ['postgres', 'auth-service'] },
        standIn: `services/${name}`,
      });
      await loadHelmValues(copy, loaded);
    }
  });

  it.each(['local-kind', 'dev', 'prod'])(
    'is rendered in %s: port, route, database, policies',
    (environment) => {
      const [own, auth, shared] = [name, 'auth-service', 'wealist-infrastructure'].map((chart) =>
        render(chart, environment),
      ) as [readonly Manifest[], readonly Manifest[], readonly Manifest[]];
      expect(listServices(own).map(({ spec }) => spec.ports[0]?.port)).toEqual([8099]);
      expect(getManifest(own, 'ConfigMap', `${name}-config`).data).toMatchObject({
        ...{ PORT: '8099', DB_NAME: 'wealist_example_service_db', DB_USER: 'example_service' },
      });

      const paths = listIngresses(shared).flatMap(({ spec }) => spec.rules.flatMap(({ http }) => http.paths));
      const routed = paths.filter(({ backend }) => backend.service.name === name);
      expect(routed.map(({ path }) => path).some((path) => path.startsWith('/svc/example'))).toBe(true);
      const sql = getManifest(shared, 'ConfigMap', 'bootstrap').data?.['databases.sql'];
      expect(sql).toContain("'CREATE DATABASE %I OWNER %I', 'wealist_example_service_db', 'example_service'");

      const policies = [...own, ...auth, ...shared].filter(({ kind }) => kind === 'NetworkPolicy');
      const party = (app: string, namespace = 'ours') => ({ namespace, labels: { app } });
      const isLet = (from: string, to: string, port: number) =>
        lets(policies, 'ours', party(from), party(to), { protocol: 'TCP', port });
      expect(isLet(name, 'auth-service', 8080)).toBe(true);
      expect(isLet('auth-service', name, 8099)).toBe(false);
      const ingress = party('traefik', 'ingress-nginx');
      expect(lets(policies, 'ours', ingress, party(name), { protocol: 'TCP', port: 8099 })).toBe(true);
      // A server of somebody else's has no pods.
      if (environment !== 'prod') expect(isLet(name, 'postgres', 5432)).toBe(true);
      expect(isLet(name, 'redis', 6379)).toBe(false);
    },
  );

  it('is synced by Argo CD in the wave after auth-service', () => {
    const args = ['template', 'wealist-try-out', join(copy, 'argocd/try-out'), '--namespace=argocd'];
    const apps = parseManifests(
      execFileSync(findHelm(), args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    );
    const waveOf = (app: string) =>
      Number(getManifest(apps, 'Application', app).metadata.annotations?.['argocd.argoproj.io/sync-wave']);
    expect(waveOf(name)).toBe(waveOf('auth-service') + 1);
  });

  it('has a program that starts', async () => {
    await symlink(join(repository, 'node_modules'), join(copy, 'node_modules'));
    const program: { service: ServiceDefinition<Dependencies> } = await import(
      join(copy, 'services', name, 'service.ts')
    );
    const env = {
      DATABASE_URL: 'postgresql://user:password@127.0.0.1:1/database',
      AUTH_SERVICE_URL: 'http://127.0.0.1:1',
    };
    const { url } = await startTested(program.service, { env });
    expect(await fetchJson(`${url}/health/live`)).toMatchObject({ status: 200 });
    expect(await fetchJson(`${url}/`)).toMatchObject({ status: 200, body: { name } });
  });
});

/** The text below a heading of the second level. @throws {Error} when there is none. */
function sectionOf(markdown: string, title: string): string {
  const section = markdown.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
  if (section === undefined) throw new Error(`CONTRIBUTING.md has no section "${title}"`);
  return section;
}

interface Block {
  readonly language: string;
  readonly content: string;
  /** The last of `files` that is named before it. */
  readonly file: string;
}

/** The code blocks of a section's steps, which are indented by three. */
function blocksOf(section: string, files: readonly string[]): readonly Block[] {
  return [...section.matchAll(/^ {3}```(\w+)\n(.*?)^ {3}```$/gms)].map((block) => {
    const [, language = '', indented = ''] = block;
    const named = [...section.slice(0, block.index).matchAll(/`([^`\n]+)`/g)].map(([, word = '']) => word);
    const file = named.findLast((word) => files.includes(word)) ?? '';
    return { language, content: indented.replace(/^ {3}/gm, ''), file };
  });
}

/** All files below a folder: path → what is in it, or where it leads. */
async function readTree(folder: string, path = ''): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(join(folder, path), { withFileTypes: true });
  const found = entries.map(async (entry): Promise<readonly (readonly [string, string])[]> => {
    const below = join(path, entry.name);
    if (entry.isDirectory()) return [...(await readTree(folder, below))];
    if (entry.isSymbolicLink()) return [[below, `→ ${await readlink(join(folder, below))}`]];
    return [[below, await readFile(join(folder, below), 'latin1')]];
  });
  return new Map((await Promise.all(found)).flat());
}
