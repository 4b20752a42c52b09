import { describeUnknownKey, type KnownMap, listMaps } from './known-keys.ts';
import { type Path, type Problem, quote, shorten } from './problems.ts';
import type { MapTree, ScalarTree, Tree } from './tree.ts';

/*
 * No library: zod 4.6's `fromJSONSchema` refuses `not` and `if`, and ajv 8 takes over a second to import and to compile
 * this schema, and knows no positions.
 */

/**
 * The keywords of `helm/values.schema.json` (JSON Schema, draft 7) that are checked here. Helm applies all of them, to
 * all files merged; here each file is checked alone, so that a mistake has a line, and missing keys are allowed.
 */
export interface Rule {
  readonly $ref?: string;
  /** Completes "expected …"; for values without rules below them. */
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Rule[];
  readonly not?: Rule;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minItems?: number;
  readonly items?: Rule;
  readonly properties?: Readonly<Record<string, Rule>>;
  readonly patternProperties?: Readonly<Record<string, Rule>>;
  readonly propertyNames?: Rule;
  readonly additionalProperties?: boolean | Rule;
  readonly definitions?: Readonly<Record<string, Rule>>;
}

const typeNames: Readonly<Record<string, string>> = {
  ...{ object: 'keys with values', array: 'a list', string: 'a text', null: 'nothing' },
  ...{ integer: 'a whole number', number: 'a number', boolean: 'true or false' },
};

/** All values of a file that violate the schema, each with its place. */
export function findSchemaProblems(tree: MapTree, schema: Rule): readonly Problem[] {
  const resolve = (rule: Rule): Rule => {
    const name = /^#\/definitions\/(\w+)$/.exec(rule.$ref ?? '')?.[1];
    return name === undefined ? rule : resolve(schema.definitions?.[name] ?? {});
  };
  const known: readonly KnownMap[] = listMaps(schema, (rule) => resolve(rule as Rule));
  return walk(tree, schema, []);

  function walk(value: Tree, reference: Rule, path: Path): readonly Problem[] {
    const rule = resolve(reference);
    if (!hasType(value, rule) || (value.kind === 'scalar' && !isAllowed(value, rule, resolve))) {
      const text = `got ${describe(value)}, expected ${toExpected(rule)}${isMissingQuotes(value, rule) ? ' (text: in quotes)' : ''}`;
      return [{ place: value.place, path, text }];
    }
    if (value.kind === 'list') {
      if (value.items.length < (rule.minItems ?? 0))
        return [{ place: value.place, path, text: 'got an empty list, expected at least one item' }];
      return value.items.flatMap((item, index) =>
        rule.items ? walk(item, rule.items, [...path, index]) : [],
      );
    }
    return value.kind === 'map' ? walkMap(value, rule, path) : [];
  }

  function walkMap({ entries }: MapTree, rule: Rule, path: Path): readonly Problem[] {
    const patterns = Object.entries(rule.patternProperties ?? {});
    return [...entries].flatMap(([key, { place, value }]) => {
      const below = [...path, key];
      const names = rule.propertyNames?.pattern;
      if (names !== undefined && !matches(key, names)) {
        return [{ place, path: below, text: `got ${quote(key)}, expected a name that matches ${names}` }];
      }
      const own = rule.properties && Object.hasOwn(rule.properties, key) ? rule.properties[key] : undefined;
      const next =
        own ?? patterns.find(([pattern]) => matches(key, pattern))?.[1] ?? rule.additionalProperties;
      if (next === false) return [{ place, path: below, text: describeUnknownKey(key, path, known) }];
      return typeof next === 'object' ? walk(value, next, below) : [];
    });
  }

  function toExpected(reference: Rule): string {
    const { description, anyOf, const: only, enum: some, type } = resolve(reference);
    if (description !== undefined) return description;
    if (anyOf) return anyOf.map(toExpected).join(' or ');
    if (only !== undefined) return only === '' ? 'an empty text' : String(only);
    if (some) return `one of ${some.join(', ')}`;
    return [type ?? []]
      .flat()
      .map((name) => typeNames[name] ?? name)
      .join(' or ');
  }
}

function hasType(value: Tree, { type }: Rule): boolean {
  if (type === undefined) return true;
  const types = [type].flat();
  if (value.kind === 'map') return types.includes('object');
  if (value.kind === 'list') return types.includes('array');
  if (value.value === null) return types.includes('null');
  const actual = typeof value.value;
  if (actual === 'number' && Number.isInteger(value.value) && types.includes('integer')) return true;
  return types.includes(actual);
}

function isAllowed(scalar: ScalarTree, rule: Rule, resolve: (rule: Rule) => Rule): boolean {
  const { value } = scalar;
  if (rule.anyOf) {
    return rule.anyOf.map(resolve).some((each) => hasType(scalar, each) && isAllowed(scalar, each, resolve));
  }
  if (rule.enum && !rule.enum.includes(value)) return false;
  if (rule.const !== undefined && rule.const !== value) return false;
  if (typeof value === 'number')
    return (
      value >= (rule.minimum ?? -Infinity) &&
      value > (rule.exclusiveMinimum ?? -Infinity) &&
      value <= (rule.maximum ?? Infinity)
    );
  if (typeof value !== 'string') return true;
  if (value.length < (rule.minLength ?? 0)) return false;
  if (rule.not?.pattern !== undefined && matches(value, rule.not.pattern)) return false;
  return rule.pattern === undefined || matches(value, rule.pattern);
}

function matches(text: string, pattern: string): boolean {
  return new RegExp(pattern, 'u').test(text);
}

function isMissingQuotes(value: Tree, { type }: Rule): boolean {
  return (
    value.kind === 'scalar' &&
    value.value !== null &&
    !hasType(value, { type: type ?? [] }) &&
    type === 'string'
  );
}

function describe(value: Tree): string {
  if (value.kind !== 'scalar') return value.kind === 'map' ? 'keys with values' : 'a list';
  if (value.value === null) return 'nothing';
  return typeof value.value === 'string' ? quote(value.value) : shorten(value.source);
}
