import type { z } from 'zod';
import { findNearest } from '../lib/nearest.ts';
import type { Path } from './problems.ts';

/** What a JSON Schema says of maps. */
export interface MapSchema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly additionalProperties?: unknown;
}

/** A map of a schema, and the keys that it may have. */
export interface KnownMap {
  /** `<name>` stands for any key. */
  readonly path: readonly string[];
  readonly keys: readonly string[];
}

type Schema = MapSchema | z.core.JSONSchema.BaseSchema;

/** All maps of a schema whose keys are fixed. `resolve` follows its references, where it has any. */
export function listMaps(
  schema: Schema,
  resolve: (schema: Schema) => Schema = (schema) => schema,
  path: readonly string[] = [],
): readonly KnownMap[] {
  const { properties = {}, additionalProperties: anyKey } = resolve(schema);
  const below = Object.entries(properties).flatMap(([key, child]) =>
    isSchema(child) ? listMaps(child, resolve, [...path, key]) : [],
  );
  const belowAny = isSchema(anyKey) ? listMaps(anyKey, resolve, [...path, '<name>']) : [];
  const keys = Object.keys(properties);
  return [...(keys.length === 0 ? [] : [{ path, keys }]), ...below, ...belowAny];
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null;
}

/** What was meant by an unknown key: the same on another level, else the nearest on this one, else any of this one. */
export function describeUnknownKey(key: string, path: Path, maps: readonly KnownMap[]): string {
  const elsewhere = maps.find((map) => map.keys.includes(key));
  const here = maps.find((map) => isSameWay(map.path, path))?.keys ?? [];
  const nearest = findNearest(key, here);
  const meant = elsewhere
    ? `it belongs ${elsewhere.path.length === 0 ? 'at the root' : `under ${elsewhere.path.join('.')}`}`
    : nearest === undefined
      ? `expected one of ${here.join(', ')}`
      : `nearest is ${nearest}`;
  return `got an unknown key, ${meant}`;
}

function isSameWay(pattern: readonly string[], path: Path): boolean {
  return (
    pattern.length === path.length &&
    pattern.every((part, index) => part === '<name>' || part === path[index])
  );
}
