/** The value of a variable; undefined where it cannot be told. */
export type Lookup = (name: string) => string | undefined;

/** `\$`, `$name`, `${name}`, `${name:-word}`, `${name:+word}`, also without the colon; and a `$` of any other use. */
const variable = /\\\$|\$(\w+)|\$\{(\w+)(?:(:?[-+])([^{}]*))?\}|\$/g;

/** Expands variables as Docker does in a word of a Dockerfile; undefined where the result cannot be told. */
export function expandVariables(word: string, lookup: Lookup): string | undefined {
  let isKnown = true;
  const text = word.replace(variable, (all, plain?: string, name = plain, operator?: string, other = '') => {
    if (all === '\\$') return '$';
    if (name === undefined) {
      isKnown = false;
      return '';
    }
    const value = expand(lookup(name), operator, other);
    isKnown &&= value !== undefined;
    return value ?? '';
  });
  return isKnown ? text : undefined;

  function expand(value: string | undefined, operator: string | undefined, other: string) {
    if (operator === undefined || value === undefined) return value;
    const isSet = operator.startsWith(':') ? value !== '' : true;
    if (operator.endsWith('-')) return isSet ? value : expandVariables(other, lookup);
    return isSet ? expandVariables(other, lookup) : '';
  }
}
