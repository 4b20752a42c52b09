import { parse } from './parse.ts';
import { ConfigFailure, type Place } from './problems.ts';
import { readText } from './read-text.ts';
import { findAt, type MapEntry, type MapTree, placeOf, type Tree } from './tree.ts';

/** Argo CD renders the charts from Git and reads nothing else. Therefore the table of services is in their values. */
const file = 'helm/charts/wealist-common/values.yaml';
const path = ['exports', 'defaults', 'services'];

/** The keys of a service that an environment reads; the other keys are for the charts only. */
const commonKeys = ['port', 'route', 'needs'];

/** Folder of the program in every stand-in's image (src/images/build/stand-in-image.ts). */
export const standInFolder = '/app';

/**
 * The lowest layer of every environment: the charts' table of services, each with its port, route and needs, and with
 * the defaults that follow from its name. Each value has its place in the table.
 * @throws {ConfigFailure} when the file is missing, unreadable or has no such table.
 */
export async function readServiceTable(checkout: string): Promise<MapTree> {
  const text = await readText(checkout, file);
  if (text === undefined) {
    throw new ConfigFailure([
      { place: { file }, path: [], text: 'missing, expected a file: git restore helm' },
    ]);
  }
  const root = parse(toTableText(text), file);
  const table = findAt(root, path) ?? findAt(root, path.slice(-1));
  if (table?.kind !== 'map') {
    const got = table ? `got a ${table.kind === 'list' ? 'list' : 'single value'}` : 'missing';
    const text = `${got}, expected the table of services: git restore helm`;
    throw new ConfigFailure([{ place: placeOf(root, path), path, text }]);
  }
  const services = [...table.entries].map(([name, entry]) => [name, toService(name, entry)] as const);
  return toMap(root.place, [['services', { place: table.place, value: toMap(table.place, services) }]]);
}

/**
 * The file without the text above the table; line numbers stay the same. Each command begins with reading the table, and
 * parsing the defaults above it would take three times as long. A file with another layout is parsed as a whole.
 */
function toTableText(text: string): string {
  const start = text.search(/^ {4}services:$/m);
  if (start === -1) return text;
  return '\n'.repeat(text.slice(0, start).split('\n').length - 1) + text.slice(start);
}

function toService(name: string, { place, value }: MapEntry): MapEntry {
  // Other values are rejected by the schema, with what it expects.
  if (value.kind !== 'map') return { place, value };
  const common = [...value.entries].filter(([key]) => commonKeys.includes(key));
  return { place, value: toMap(place, [...toConventions(name, place), ...common]) };
}

/** Default folders and files of a service, by its name; an environment can override them. */
function toConventions(name: string, place: Place): readonly (readonly [string, MapEntry])[] {
  const entry = (value: Tree): MapEntry => ({ place, value });
  const text = (value: string) => entry({ kind: 'scalar', place, value, source: value });
  const folder = `services/${name}`;
  const live = toMap(place, [
    ['from', text(folder)],
    ['to', text(standInFolder)],
    ['build', text('stand-in')],
  ]);
  return [
    ['standIn', text(folder)],
    ['live', entry({ kind: 'list', place, items: [live] })],
    ['dockerfile', text(`${folder}/docker/Dockerfile`)],
    ['context', text('.')],
  ];
}

function toMap(place: Place, entries: readonly (readonly [string, MapEntry])[]): MapTree {
  return { kind: 'map', place, entries: new Map(entries) };
}
