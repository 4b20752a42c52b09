import type { z } from 'zod';
import { findNearest } from '../lib/nearest.ts';
import type { Path } from './problems.ts';

/** The keywords of a JSON Schema that describe maps. */
export interface MapSchema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly additionalProperties?: unknown;
}

/** A map of a schema, and its allowed keys. */
export interface KnownMap {
  /** `<name>` stands for any key. */
  readonly path: readonly string[];
  readonly keys: readonly string[];
}

type Schema = MapSchema | z.core.JSONSchema.BaseSchema;

/** All maps of a schema with a fixed set of keys. `resolve` follows references. */
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

/** Suggests the same key on another level, else the nearest one on this level, else all of this level. */
export function describeUnknownKey(key: string, path: Path, maps: readonly KnownMap[]): string {
  const otherLevel = maps.find((map) => map.keys.includes(key));
  const here = maps.find((map) => matchesPath(map.path, path))?.keys ?? [];
  const nearest = findNearest(key, here);
  const suggestion = otherLevel
    ? `it belongs ${otherLevel.path.length === 0 ? 'at the root' : `under ${otherLevel.path.join('.')}`}`
    : nearest === undefined
      ? `expected one of ${here.join(', ')}`
      : `nearest is ${nearest}`;
  return `got an unknown key, ${suggestion}`;
}

function matchesPath(pattern: readonly string[], path: Path): boolean {
  return (
    pattern.length === path.length &&
    pattern.every((part, index) => part === '<name>' || part === path[index])
  );
}
