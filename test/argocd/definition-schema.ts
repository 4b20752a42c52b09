/** The part of OpenAPI v3 that resource definitions are written in. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
}

export interface Definition {
  readonly spec: {
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

/** What the API server's strict validation would refuse: unknown keys, missing ones, other types. */
export function findViolations(value: unknown, schema: Schema, path = ''): readonly string[] {
  if (schema.enum && !schema.enum.includes(value)) return [`${path}: none of ${schema.enum.join(', ')}`];
  if (Array.isArray(value)) {
    if (schema.type !== 'array') return [`${path}: a list`];
    return value.flatMap((each, at) => findViolations(each, schema.items ?? {}, `${path}[${at}]`));
  }
  if (typeof value !== 'object' || value === null) {
    const type = Number.isInteger(value) ? 'integer' : typeof value;
    const fits = type === schema.type || (type === 'integer' && schema.type === 'number');
    return fits ? [] : [`${path}: ${type}, expected ${schema.type}`];
  }
  if (schema.type !== 'object') return [`${path}: an object, expected ${schema.type}`];
  const { properties = {}, additionalProperties: others, required = [] } = schema;
  // Of metadata a definition says nothing but that it is an object: it is the same for every kind.
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] || others === true || path === '.metadata';
  const missing = required.filter((key) => !(key in value)).map((key) => `${path}.${key}: missing`);
  return [
    ...missing,
    ...Object.entries(value).flatMap(([key, each]) => {
      const below = `${path}.${key}`;
      const known = properties[key] ?? (typeof others === 'object' ? others : undefined);
      if (known) return findViolations(each, known, below);
      return isOpen ? [] : [`${below}: unknown`];
    }),
  ];
}
