import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { reportElapsed } from '../../../src/images/build/report-elapsed.ts';
import { openWorkshop, toProgramKey } from '../../../src/images/build/workshop.ts';
import { packLayer } from '../../../src/images/store/layer.ts';
import { openStore } from '../../../src/images/store/store.ts';
import type { Platform } from '../../../src/lib/platform.ts';
import { createSerialQueue } from '../../../src/lib/serial-queue.ts';
import type { Run } from '../../../src/plan/plan.ts';
import type { Debian } from '../../../src/tools/debian.ts';
import type { Go } from '../../../src/tools/go.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

async function makeWorkshop(go: Partial<Go> = {}) {
  const cache = await makeTemporaryFolder();
  const store = openStore(cache);
  const lines: string[] = [];
  const abort = new AbortController();
  const run: Run = { signal: abort.signal, report: (line) => lines.push(line) };
  const built: string[] = [];
  const roots: string[] = [];
  const defaultGo: Go = {
    async build(program, _, folder) {
      built.push(program.package);
      await writeFile(join(folder, program.package.split('/').at(-1) ?? ''), `program ${program.package}`);
    },
    downloadModule: async () => '',
    clean: async () => {},
  };
  const debian: Debian = {
    async makeRoot(root, _, path) {
      roots.push(root.suite);
      const entries = ['etc/passwd', 'usr/share/doc/a', 'usr/lib/extra'].map((each) => ({
        path: each,
        content: each,
      }));
      await writeFile(path, await buffer(packLayer(entries)));
    },
  };
  const goQueue = createSerialQueue();
  const open = (each: Run = run) =>
    openWorkshop({
      store,
      go: { ...defaultGo, ...go },
      debian,
      architecture: 'amd64',
      cache,
      run: each,
      goQueue,
    });
  return { cache, store, lines, abort, run, built, roots, open, workshop: open() };
}

const kind = { package: 'example.test/kind', version: 'v1' };

test('a program is built once, and again for another version', async () => {
  const { workshop, built } = await makeWorkshop();
  const path = await workshop.goProgram(kind);
  expect(await readFile(path, 'utf8')).toBe('program example.test/kind');
  expect(await workshop.goProgram(kind)).toBe(path);
  expect(await workshop.goProgram({ ...kind, version: 'v2' })).not.toBe(path);
  expect(built).toHaveLength(2);
});

test('a program of this checkout is built again when its module changes', async () => {
  const module = await makeTemporaryFolder();
  await writeFile(join(module, 'main.go'), 'package main');
  const { workshop, built } = await makeWorkshop();
  const program = { module, package: './kube' };
  const path = await workshop.goProgram(program);
  expect(await workshop.goProgram(program)).toBe(path);
  await writeFile(join(module, 'main.go'), 'package main // changed');
  expect(await workshop.goProgram(program)).not.toBe(path);
  expect(built).toHaveLength(2);
});

test('a failed build leaves nothing, and the next one starts again', async () => {
  let fails = true;
  const { workshop, cache } = await makeWorkshop({
    async build(_, _platform, folder) {
      await writeFile(join(folder, 'kind'), 'half');
      if (fails) throw new Error('no space left');
    },
  });
  await expect(workshop.goProgram(kind)).rejects.toThrow('no space left');
  expect(await readdir(join(cache, 'work'))).toEqual([]);
  fails = false;
  await expect(workshop.goProgram(kind)).resolves.toContain('kind-');
});

test('two programs are built one after the other, and the second reports that it waits', async () => {
  let running = 0;
  let most = 0;
  const { open, lines } = await makeWorkshop({
    async build(program, _, folder) {
      running += 1;
      most = Math.max(most, running);
      await sleep(10);
      await writeFile(join(folder, program.package.split('/').at(-1) ?? ''), '');
      running -= 1;
    },
  });
  await Promise.all([open().goProgram(kind), open().goProgram({ ...kind, package: 'example.test/helm' })]);
  expect(most).toBe(1);
  expect(lines).toEqual(['waiting for another Go build']);
});

test('a queued build does not start after the run was aborted', async () => {
  const built: string[] = [];
  const { open, abort, lines } = await makeWorkshop({
    async build({ package: path }, _, folder) {
      built.push(path);
      await expect.poll(() => lines).toContain('waiting for another Go build');
      await writeFile(join(folder, path.split('/').at(-1) ?? ''), '');
      abort.abort(new Error('interrupted'));
    },
  });
  const both = [open().goProgram(kind), open().goProgram({ ...kind, package: 'example.test/helm' })];
  const ends = await Promise.allSettled(both);
  expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(ends).toContainEqual({
    status: 'rejected',
    reason: expect.objectContaining({ message: 'interrupted' }),
  });
  expect(built).toHaveLength(1);
});

test('a root file system is made once, without documentation and dropped paths', async () => {
  const { workshop, store, roots } = await makeWorkshop();
  const root = { suite: 'trixie', variant: 'extract', packages: ['a'] } as const;
  const layer = await workshop.debianRoot(root, ['usr/lib/']);
  expect(await workshop.debianRoot(root, ['usr/lib/'])).toEqual(layer);
  const tar = (await buffer(store.openBlob(layer.digest))).toString();
  expect(tar).toContain('etc/passwd');
  expect(tar).not.toContain('usr/lib/extra');
  expect(tar).not.toContain('usr/share/doc');
  expect(roots).toEqual(['trixie']);
  await workshop.debianRoot(root);
  expect(roots).toHaveLength(2);
});

test('progress lines have the elapsed time without the time spent waiting', async () => {
  const { run, lines } = await makeWorkshop();
  await reportElapsed(run, { minutes: 7, interval: 60_000 }, async (told, stopwatch) => {
    await stopwatch.pauseWhile(sleep(300));
    told.report('k8s.io/api');
  });
  expect(lines).toEqual([expect.stringMatching(/^k8s\.io\/api \(0\.[01] s of about 7 min\)$/)]);
});

test('the last line is repeated while no new one is reported', async () => {
  const { run, lines } = await makeWorkshop();
  await reportElapsed(run, { minutes: 7, interval: 5 }, async (told) => {
    told.report('linking');
    await expect.poll(() => lines.length).toBeGreaterThan(2);
  });
  expect(new Set(lines.map((line) => line.split(' ')[0]))).toEqual(new Set(['linking']));
});

test('the keys of a program differ by system and architecture; what is for Linux has no mark of it', async () => {
  const key = (os: string, architecture: string) => toProgramKey(kind, { os, architecture });
  const keys = await Promise.all([
    key('linux', 'amd64'),
    key('linux', 'arm64'),
    key('darwin', 'amd64'),
    key('darwin', 'arm64'),
  ]);
  expect(new Set(keys).size).toBe(4);
});

test('programs are for the images of the engine, except where a platform is named', async () => {
  const platforms: Platform[] = [];
  const { open } = await makeWorkshop({
    async build(program, platform, folder) {
      platforms.push(platform);
      await writeFile(join(folder, program.package.split('/').at(-1) ?? ''), '');
    },
  });
  const mac = { os: 'darwin', architecture: 'arm64' };
  const own = await open().goProgram(kind, mac);
  expect(await open().goProgram(kind)).not.toBe(own);
  expect(platforms).toEqual([mac, { os: 'linux', architecture: 'amd64' }]);
});
