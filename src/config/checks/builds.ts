import { dirname, resolve } from 'node:path';
import { toPrintable } from '../../lib/printable.ts';
import type { Base, BuildSettings } from '../build-settings.ts';
import { findBelow, findKind, isInside, type PathKind } from '../folders.ts';
import { type Path, type Problem, quote } from '../problems.ts';
import type { Service } from '../schema.ts';
import { type Draft, problemAt } from './draft.ts';

/** A stand-in that would be built and is no folder of this checkout. */
export async function findUnfitStandIns(draft: Draft): Promise<readonly Problem[]> {
  const found = [...draft.services].map(async ([name, { standIn, build }]) => {
    if (standIn === undefined || build === 'source' || build === 'host') return [];
    const kind = await findBelow(draft.checkout, standIn);
    return kind === 'folder'
      ? []
      : [unfit(draft, ['services', name, 'standIn'], standIn, kind, 'a folder of this checkout')];
  });
  return (await Promise.all(found)).flat();
}

export async function findUnfitSource(draft: Draft): Promise<readonly Problem[]> {
  if (draft.source === undefined) return [];
  const folder = toSource(draft, draft.source);
  const kind = await findKind(folder);
  return kind === 'folder'
    ? []
    : [unfit(draft, ['source'], draft.source, kind, `a folder at ${toPrintable(folder)}`)];
}

/** Dockerfiles that must exist (`build: source`) and do not, that leave the source, or that stand outside their context. */
export async function findUnfitDockerfiles(draft: Draft): Promise<readonly Problem[]> {
  const found = [...draft.services].map(([name, service]) => findUnfitDockerfile(draft, name, service));
  return (await Promise.all(found)).flat();
}

async function findUnfitDockerfile(
  draft: Draft,
  name: string,
  service: Partial<Service>,
): Promise<readonly Problem[]> {
  const { dockerfile, context, build } = service;
  const keys = ['services', name];
  if (build === 'stand-in') return [];
  // Then the Dockerfile must exist.
  const isRequired = build === 'source' || build === 'host';
  if (build === 'host' && service.host === undefined) {
    return [problemAt(draft, [...keys, 'build'], 'got host, expected the key host beside it: the command')];
  }
  if (dockerfile === undefined) {
    if (!isRequired) return [];
    return [problemAt(draft, [...keys, 'build'], `got ${build}, expected the key dockerfile beside it`)];
  }
  if (context === undefined) {
    return [problemAt(draft, [...keys, 'dockerfile'], 'got no context, expected the key context beside it')];
  }
  if (!isInside(resolve('/', context), resolve('/', dockerfile))) {
    const text = `got ${quote(dockerfile)}, expected a file inside the context ${quote(context)}`;
    return [problemAt(draft, [...keys, 'dockerfile'], text)];
  }
  if (draft.source === undefined) {
    if (!isRequired) return [];
    return [
      problemAt(draft, [...keys, 'build'], `got ${build}, expected the key source: a checkout of weAlist`),
    ];
  }
  const source = toSource(draft, draft.source);
  if ((await findKind(source)) !== 'folder') return [];

  const kind = await findBelow(source, dockerfile);
  // Without the Dockerfile the stand-in is built, unless the source was asked for by name.
  if (kind === 'missing' && !isRequired) return [];
  const expected = `a file at ${toPrintable(resolve(source, dockerfile))}`;
  if (kind !== 'file') return [unfit(draft, [...keys, 'dockerfile'], dockerfile, kind, expected)];
  const contextKind = await findBelow(source, context);
  if (contextKind === 'folder') return [];
  return [
    unfit(
      draft,
      [...keys, 'context'],
      context,
      contextKind,
      `a folder at ${toPrintable(resolve(source, context))}`,
    ),
  ];
}

/** Files and folders of the build settings that do not exist, and base images without their Dockerfile. */
export async function findUnfitBuildSettings(draft: Draft): Promise<readonly Problem[]> {
  if (draft.source === undefined || (await findKind(toSource(draft, draft.source))) !== 'folder') return [];
  const source = toSource(draft, draft.source);
  const built = [...draft.services].filter(([, { build }]) => build !== 'stand-in');
  const ofServices = built.flatMap(([name, service]) => [
    findUnfitInputs(['services', name], service),
    findUnfitHost(['services', name, 'host', 'in'], service),
  ]);
  const ofBases = Object.entries(draft.bases).flatMap(([name, base]) => [
    findUnfitInputs(['bases', name], base),
    findUnfitBase(['bases', name], base),
  ]);
  return (await Promise.all([...ofServices, ...ofBases])).flat();

  async function findUnfitInputs(
    keys: Path,
    { contexts, secrets }: BuildSettings,
  ): Promise<readonly Problem[]> {
    const folders = Object.entries(contexts ?? {})
      .filter(([, place]) => !/^[a-z-]+:\/\//.test(place))
      .map(([id, place]) => ({ path: [...keys, 'contexts', id], place, kind: 'folder' as const }));
    const files = Object.entries(secrets ?? {}).flatMap(([id, secret]) =>
      'file' in secret
        ? [{ path: [...keys, 'secrets', id, 'file'], place: secret.file, kind: 'file' as const }]
        : [],
    );
    const problems = [...folders, ...files].map(async ({ path, place, kind }) => {
      const found = await findKind(resolve(source, place));
      const expected = `a ${kind} at ${toPrintable(resolve(source, place))}`;
      return found === kind ? [] : [unfit(draft, path, place, found, expected)];
    });
    return (await Promise.all(problems)).flat();
  }

  async function findUnfitHost(path: Path, { build, host }: Partial<Service>): Promise<readonly Problem[]> {
    if (build !== 'host' || host?.in === undefined) return [];
    const found = await findBelow(source, host.in);
    const expected = `a folder at ${toPrintable(resolve(source, host.in))}`;
    return found === 'folder' ? [] : [unfit(draft, path, host.in, found, expected)];
  }

  async function findUnfitBase(
    keys: Path,
    { dockerfile, context }: Partial<Base>,
  ): Promise<readonly Problem[]> {
    // The schema has rejected it.
    if (dockerfile === undefined) return [];
    const problems = [
      { path: [...keys, 'dockerfile'], place: dockerfile, kind: 'file' as const },
      { path: [...keys, 'context'], place: context ?? dirname(dockerfile), kind: 'folder' as const },
    ].map(async ({ path, place, kind }) => {
      const found = await findBelow(source, place);
      const expected = `a ${kind} at ${toPrintable(resolve(source, place))}`;
      return found === kind ? [] : [unfit(draft, path, place, found, expected)];
    });
    return (await Promise.all(problems)).flat();
  }
}

const faults: Readonly<Record<PathKind, string>> = {
  file: 'it is a file',
  folder: 'it is a folder',
  other: 'it is neither a file nor a folder',
  missing: 'it does not exist',
  unreadable: 'permission denied',
  outside: 'it is outside of that folder',
};

function unfit(draft: Draft, path: Path, value: string, kind: PathKind, expected: string): Problem {
  return problemAt(draft, path, `got ${quote(value)}, expected ${expected}: ${faults[kind]}`);
}

function toSource({ checkout }: Draft, source: string): string {
  return resolve(checkout, source);
}
