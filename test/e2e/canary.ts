/** Secrets to look for in what others can read, in every form in which they could stand there. */
export interface Canary {
  /** Name of the first secret that the text contains; undefined when it contains none. */
  findIn(text: string): string | undefined;
}

/** @param secrets values by name */
export function makeCanary(secrets: Readonly<Record<string, string>>): Canary {
  const forms = Object.entries(secrets).map(([name, value]) => ({ name, forms: listForms(value) }));
  return {
    findIn: (text) => forms.find((secret) => secret.forms.some((form) => text.includes(form)))?.name,
  };
}

/** As it is, percent-encoded, escaped for JSON once and twice, in hexadecimal, and within base64 at each of three offsets. */
function listForms(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const json = toJson(value);
  const texts = [value, encodeURIComponent(value), json, toJson(json), bytes.toString('hex')];
  const encoded = [0, 1, 2].flatMap((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]);
    // The characters at both ends depend on what stands beside the value.
    const from = offset === 0 ? 0 : offset + 1;
    const to = Math.floor((text.length * 8) / 6) - 1;
    return [text.toString('base64').slice(from, to), text.toString('base64url').slice(from, to)];
  });
  return [...new Set([...texts, ...encoded])];
}

function toJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
