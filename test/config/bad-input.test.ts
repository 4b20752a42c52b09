import { execFileSync } from 'node:child_process';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { makeTemporaryFolder } from '../temporary-folder.ts';
import { createCheckout } from './checkout.ts';
import { startCpuTime } from './cpu-time.ts';
import { refusal } from './refusal.ts';

let checkout: string;
beforeEach(async () => {
  checkout = await createCheckout();
});

/** The message about this `env/local.yaml`, which is printable and comes at once. */
async function refusalOf(local: string | Uint8Array): Promise<string> {
  await writeFile(join(checkout, 'env/local.yaml'), local);
  const cpuTime = startCpuTime();
  const message = await refusal(checkout);
  expect(cpuTime()).toBeLessThan(1000);
  expect(message).toMatch(/^[\x20-\x7e\n→…]+$/);
  return message;
}

describe('invalid YAML', () => {
  test.each([
    ['a tab as indentation', 'cluster:\n\thttpPort: 80', '2:1: got a tab, expected spaces as indentation'],
    ['a key that is indented too far', 'namespace: x\n  source: y', '1:12: got a second key on the line'],
    ['a quote left open', 'a: 1\nnamespace: "x\ncluster: {}\n', '2:12: got an unclosed quote'],
    ['a single quote left open', "namespace: 'x", '1:12: got an unclosed quote'],
    [
      'a bracket left open',
      'services:\n  auth-service:\n    needs: [redis\n    port: 1',
      '4:5: got an open [, expected a ] before this',
    ],
    ['a brace left open', 'cluster: {name: x\nnamespace: y', '2:1: got an open {, expected a } before this'],
    [
      'a key at another column',
      'cluster:\n    name: x\n  httpPort: 1',
      '3:1: got a key at a different column than those above it',
    ],
    ['a bracket too many', 'namespace: x]\ncluster: ]', '2:10: '],
    ['a lone colon', ': x', '1:1: got an empty key'],
    ['a key without its colon', 'cluster:\n  httpPort\n  httpsPort: 1', '2:3: got a key on several lines'],
    ['a last key without its colon', 'cluster:\n  name: x\n  httpsPort', '3:3: got a key without ":"'],
    ['a reserved character', 'source: @wealist', '1:9: got a reserved character'],
    ['a list as a key', '? [a]\n: b', '1:3: got a list or map as a key'],
    ['a directive', '%YAML 9.9\n---\nnamespace: x', '1:1: got "%YAML 9.9", expected no directive'],
    ['two documents', 'namespace: x\n---\nnamespace: y', '2:1: got a second document, expected one'],
    ['a list', '- a', '1:1: got a list, expected keys with values'],
    ['a word', 'wealist', '1:1: got a single value, expected keys with values'],
    [
      'a key twice',
      'cluster:\n  name: a\n  name: b',
      '3:3 cluster.name: got a duplicate key, expected it once: it is already at env/local.yaml:2:3',
    ],
    ['an anchor', 'namespace: &a x', '1:12: got "&a", expected a plain value: anchors are not supported'],
    ['an anchor that holds itself', 'cluster: &a\n  name: *a', '1:10: got "&a", expected a plain value'],
    ['an alias', 'namespace: *a', '1:12: got "*a", expected a plain value: aliases are not supported'],
    [
      'a merge',
      'cluster:\n  <<: {name: x}',
      '2:3 cluster."<<": got an unknown key, expected one of name, httpPort, httpsPort',
    ],
    [
      'a JavaScript tag',
      'source: !!js/function "x"',
      '1:9: got "!!js/function", expected a plain value: tags are not supported',
    ],
    ['a Python tag', 'source: !!python/object:os.system {}', '1:9: got "!!python/object:os.system"'],
    ['an include', 'services: !include x.yaml', '1:11: got "!include"'],
    ['a binary', 'source: !!binary aGk=', '1:9: got "!!binary"'],
    ['a carriage return alone', 'namespace: x\rcluster: y', '1:13: got a carriage return alone'],
  ])('%s', async (_, text, start) => {
    expect(await refusalOf(text)).toContain(`env/local.yaml:${start}`);
  });
});

describe('invalid text', () => {
  const utf16 = Buffer.from('\ufeffnamespace: x', 'utf16le');
  test.each([
    ['UTF-16 LE', utf16, '1:1: got bytes that are not UTF-8'],
    ['UTF-16 BE', Buffer.from(utf16).swap16(), '1:1: got bytes that are not UTF-8'],
    ['UTF-16 without its mark', utf16.subarray(2), '1:2: got a NUL'],
    ['Latin-1', Buffer.from('a: 1\n# Zürich\n', 'latin1'), '2:4: got bytes that are not UTF-8'],
    [
      'Latin-1 after a genuine U+FFFD',
      Buffer.from([0x23, 0xef, 0xbf, 0xbd, 0xfc]),
      '1:3: got bytes that are not UTF-8',
    ],
    ['an overlong slash', Buffer.from([0x61, 0x3a, 0x20, 0xc0, 0xaf]), '1:4: got bytes that are not UTF-8'],
    [
      'half a surrogate pair',
      Buffer.from([0x61, 0x3a, 0x20, 0xed, 0xa0, 0x80]),
      '1:4: got bytes that are not UTF-8',
    ],
    ['a file cut within a letter', Buffer.from('# é').subarray(0, 3), '1:3: got bytes that are not UTF-8'],
    ['a NUL', 'namespace: x\0', '1:13: got a NUL'],
    ['an escape', 'namespace: \u001b[31mx', '1:12: got the control character \\u{1b}'],
  ])('%s', async (_, bytes, start) => {
    expect(await refusalOf(bytes)).toMatch(
      new RegExp(`^env/local\\.yaml:${start.replace(/[\\{[]/g, '\\$&')}`),
    );
  });
});

describe('not a file of the checkout', () => {
  test('a symbolic link, wherever it points', async () => {
    const file = join(checkout, 'env/local.yaml');
    for (const target of ['base.yaml', '/etc/hostname', 'missing', 'local.yaml', '/dev/zero']) {
      await symlink(target, file);
      expect(await refusal(checkout)).toBe('env/local.yaml: got a symbolic link, expected a regular file');
      await rm(file);
    }
  });

  test('a FIFO does not hang', async () => {
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(checkout, 'env/local.yaml')]);
    expect(await refusal(checkout)).toMatch(/^env\/local\.yaml: got something that is not a file/);
  });

  test('a folder', async () => {
    await mkdir(join(checkout, 'env/local.yaml'));
    expect(await refusal(checkout)).toMatch(/^env\/local\.yaml: got something that is not a file/);
  });

  test('a folder of environments outside the checkout', async () => {
    const elsewhere = await makeTemporaryFolder();
    await rename(join(checkout, 'env'), join(elsewhere, 'env'));
    await symlink(join(elsewhere, 'env'), join(checkout, 'env'));
    expect(await refusal(checkout)).toMatch(/^env\/local-kind\.yaml: got a file outside the checkout/);
  });
});

describe('values of the wrong type', () => {
  const values = [
    'null',
    'true',
    '""',
    '0',
    '-1',
    '1.5',
    '1e309',
    '.nan',
    '12345678901234567890',
    '[]',
    '{}',
    '2024-01-01',
    '"0x1F"',
  ];
  const keys: readonly (readonly [string, RegExp])[] = [
    ['cluster.httpPort', /a port: a whole number from 1 to 65535, such as 80/],
    ['cluster.name', /a name of a-z, 0-9 and -, at most 49 characters, first a letter, such as wealist/],
    ['services.auth-service.port', /a port: a whole number from 1 to 65535, such as 8080/],
    ['services.auth-service.build', /auto, source, host or stand-in/],
    ['registry.pull', /auto, never or only/],
    ['ingress.controller', /auto, nginx or traefik/],
  ];
  test.each(keys)('%s', async (key, expected) => {
    for (const value of values) {
      const path = key.split('.');
      const text = `${path.map((part, index) => `${'  '.repeat(index)}${part}:`).join('\n')} ${value}\n`;
      const column = 2 * path.length + (path.at(-1)?.length ?? 0) + 1;
      const message = await refusalOf(text);
      expect(message).toMatch(
        new RegExp(`^env/local\\.yaml:${path.length}:${column} ${key}: got .+, expected`),
      );
      expect(message).toMatch(expected);
    }
  });

  test.each([
    ['services', '{}'],
    ['cluster', '{}'],
    ['cluster.name', 'wealist'],
    ['registry.mirror', '2024-01-01'],
  ])('%s only takes its own type', async (key, right) => {
    const path = key.split('.');
    for (const value of [...values.filter((value) => value !== right), '[[]]']) {
      const text = path.map((part) => `{${part}: `).join('') + value + '}'.repeat(path.length);
      expect(await refusalOf(text)).toMatch(new RegExp(`^env/local\\.yaml:1:\\d+ ${key}: got `));
    }
  });

  test('a number where text is meant is to be quoted', async () => {
    expect(await refusalOf('cluster: {name: 12}')).toMatch(/got 12, expected a name .* \(text: in quotes\)$/);
  });

  test('what was written is shown, not what it was read as', async () => {
    expect(await refusalOf('cluster: {httpPort: 1e309}')).toContain('got 1e309, expected a port');
    expect(await refusalOf('cluster: {httpPort: 080:80}')).toContain('got "080:80", expected a port');
  });
});

describe('unknown keys', () => {
  test.each([
    ['a letter too few', 'clster: {}', '1:1 clster: got an unknown key, nearest is cluster'],
    ['a letter too few of extends', 'extnds: base', '1:1 extnds: got an unknown key, nearest is extends'],
    ['swapped letters', 'cluster: {nmae: x}', '1:11 cluster.nmae: got an unknown key, nearest is name'],
    [
      'another case',
      'cluster: {httpport: 1}',
      '1:11 cluster.httpport: got an unknown key, nearest is httpPort',
    ],
    ['the wrong level', 'httpPort: 1', '1:1 httpPort: got an unknown key, it belongs under cluster'],
    [
      'a root key below',
      'cluster: {source: x}',
      '1:11 cluster.source: got an unknown key, it belongs at the root',
    ],
    [
      "a service's key",
      'cluster: {port: 1}',
      '1:11 cluster.port: got an unknown key, it belongs under services.<name>',
    ],
    [
      'nothing like it',
      'cluster: {zzz: 1}',
      '1:11 cluster.zzz: got an unknown key, expected one of name, httpPort, httpsPort',
    ],
    ['the name, which is the file', 'name: x', '1:1 name: got an unknown key, it belongs under cluster'],
    ['a prototype', '__proto__: {polluted: 1}', '1:1 __proto__: got a name that JavaScript reserves'],
    [
      'a prototype below',
      'cluster: {__proto__: {name: x}}',
      '1:11 cluster.__proto__: got a name that JavaScript reserves',
    ],
    [
      'a prototype of services',
      'services: {__proto__: {port: 1}}',
      '1:12 services.__proto__: got a name that JavaScript reserves',
    ],
  ])('%s', async (_, text, start) => {
    expect(await refusalOf(text)).toContain(`env/local.yaml:${start}`);
    expect(Object.prototype).not.toHaveProperty('polluted');
  });

  test('the value of an unknown key is never shown', async () => {
    const message = await refusalOf('password: hunter2\nsecrets: {jwt: "-----BEGIN PRIVATE KEY-----"}\n');
    expect(message).not.toMatch(/hunter2|PRIVATE/);
  });
});

describe('names', () => {
  const names = [
    ...[
      'Auth',
      'a'.repeat(54),
      '-x',
      'x-',
      '1a',
      '.',
      '..',
      'a/b',
      'a%2fb',
      'a b',
      'a\\nb',
      'constructor',
      'toString',
    ],
    ...[
      'hasOwnProperty',
      'kube-system',
      'default',
      'postgres',
      'wealist-infrastructure',
      '\u{1f600}',
      'caf\u00e9',
      'cafe\u0301',
    ],
    ...['\u0430uth', '\u202ehtua', 'au\u200bth', '$(id)', 'a;b', 'a`b', '\\e[31m', '\\0', ''],
  ];
  test.each(names)('a service cannot be called %j', async (name) => {
    const message = await refusalOf(
      `services:\n  "${name}": {port: 9000, route: x, standIn: services/frontend}`,
    );
    expect(message).toMatch(
      name === ''
        ? /^env\/local\.yaml:2:3 services: got an empty key/
        : /^env\/local\.yaml:2:3 services\..+: got ".+", expected an?(other)? name/,
    );
    expect(message).not.toContain('\n');
  });

  test.each(['kube-system', 'default', 'ingress-nginx', 'a_b', 'A', '7up'])(
    'nor a namespace %j',
    async (name) => {
      expect(await refusalOf(`namespace: ${name}`)).toMatch(
        /^env\/local\.yaml:1:12 namespace: got ".+", expected/,
      );
    },
  );

  test('a cluster leaves room for the name of its node', async () => {
    expect(await refusalOf(`cluster: {name: ${'a'.repeat(50)}}`)).toContain('at most 49 characters');
  });

  test('a long value is cut, and only its first line shown', async () => {
    const message = await refusalOf(`source: "${'x'.repeat(5000)}"\nnamespace: "line\\nsecret"`);
    expect(message.length).toBeLessThan(500);
    expect(message).toContain('got "line…", expected');
    expect(message).not.toContain('secret');
  });

  test('the password of an address is not shown', async () => {
    const message = await refusalOf('registry: {mirror: "https://me:hunter2@mirror.example.com"}');
    expect(message).toContain('got "https://***@mirror.example.com", expected a host');
    expect(message).not.toContain('hunter2');
  });
});
