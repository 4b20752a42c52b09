import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadEnvironment } from '../../src/config/load.ts';
import { tableFile } from '../service-table.ts';
import { createCheckout, placeOf } from './checkout.ts';
import { refusal } from './refusal.ts';

let checkout: string;
beforeEach(async () => {
  checkout = await createCheckout();
});

/** Changes the table; fails where it does not have what is to be changed. */
async function change(from: string, to: string): Promise<void> {
  const file = join(checkout, tableFile);
  const text = await readFile(file, 'utf8');
  expect(text.split(from)).toHaveLength(2);
  await writeFile(file, text.replace(from, to));
}

const frontend = '      frontend:\n';
const example = `      example-service:\n        port: 9005\n        route: example\n        needs: [postgres]\n${frontend}`;

test('a service is one entry and a folder of its name; the rest follows', async () => {
  await change(frontend, example);
  await mkdir(join(checkout, 'services/example-service'));
  const { services } = await loadEnvironment({ checkout, name: 'local-kind' });
  expect(services['example-service']).toEqual({
    ...{ port: 9005, route: 'example', needs: ['postgres'], build: 'auto' },
    standIn: 'services/example-service',
    live: [{ from: 'services/example-service', to: '/app', build: 'stand-in' }],
    ...{ dockerfile: 'services/example-service/docker/Dockerfile', context: '.' },
  });
  expect(Object.keys(services).slice(-2)).toEqual(['example-service', 'frontend']);
});

test('a file that is written in another way is the same table', async () => {
  const before = await loadEnvironment({ checkout, name: 'local-kind' });
  const file = join(checkout, tableFile);
  await writeFile(file, stringify(parse(await readFile(file, 'utf8')), { indent: 4 }));
  expect(await loadEnvironment({ checkout, name: 'local-kind' })).toEqual(before);
});

test('what else the charts say of a service is theirs alone', async () => {
  const { services } = await loadEnvironment({ checkout, name: 'local-kind' });
  expect(Object.keys(services['auth-service'] ?? {}).sort()).toEqual(
    ['build', 'context', 'dockerfile', 'live', 'needs', 'port', 'route', 'standIn'].sort(),
  );
});

test('the files of env/ lie over the table', async () => {
  await writeFile(join(checkout, 'env/local.yaml'), 'services: {chat-service: {needs: [redis]}}');
  const { services } = await loadEnvironment({ checkout, name: 'local-kind' });
  expect(services['chat-service']).toMatchObject({ port: 8001, route: 'chat', needs: ['redis'] });
});

test('a mistake has the place of the table', async () => {
  const place = placeOf(tableFile, 'services', 'chat-service', 'port');
  await change('port: 8001', 'port: "80:01"');
  expect(await refusal(checkout)).toBe(
    `${place} services.chat-service.port: got "80:01", expected a port: a whole number from 1 to 65535, such as 8080`,
  );
});

test('two services of the table cannot have one port, nor need what is unknown', async () => {
  await change('port: 8001', 'port: 8000');
  await change('needs: [postgres, redis, auth-service]\n', 'needs: [postgres, redis, auth-servce]\n');
  const [port, needs = ''] = (await refusal(checkout)).split('\n');
  expect(port).toBe(
    `${placeOf(tableFile, 'services', 'chat-service', 'port')} services.chat-service.port: got 8000, expected a different port: board-service has it (${placeOf(tableFile, 'services', 'board-service', 'port')})`,
  );
  expect(needs).toMatch(
    /^helm\/charts\/wealist-common\/values\.yaml:\d+:34 services\.noti-service\.needs\[2\]: got "auth-servce", expected a known name: nearest is auth-service$/,
  );
});

test('a service without its program is named where the table names it', async () => {
  await change(frontend, example);
  expect(await refusal(checkout)).toMatch(
    /^helm\/charts\/wealist-common\/values\.yaml:\d+:7 services\.example-service\.standIn: got "services\/example-service", expected a folder of this checkout: it does not exist$/,
  );
});

test('an entry that is none, or under a name that none may have, is refused', async () => {
  await change(frontend, `      Example:\n        port: 9005\n      example-service: 9006\n${frontend}`);
  const lines = (await refusal(checkout)).split('\n');
  expect(lines[0]).toMatch(/values\.yaml:\d+:7 services\.Example: got "Example", expected a name of a-z/);
  expect(lines[1]).toMatch(
    /values\.yaml:\d+:24 services\.example-service: got 9006, expected the keys of a service/,
  );
});

test.each([
  ['exports: {}', `${tableFile}:1:1 exports.defaults.services: missing, expected the table of services`],
  [
    'exports:\n  defaults:\n    services: [a]',
    `${tableFile}:3:15 exports.defaults.services: got a list, expected the table of services`,
  ],
  ['exports: [', `${tableFile}:1:`],
])('a file without a table is refused: %j', async (text, message) => {
  await writeFile(join(checkout, tableFile), text);
  expect(await refusal(checkout)).toContain(message);
});

test('a missing file is named, together with what else cannot be read', async () => {
  await rm(join(checkout, tableFile));
  await writeFile(join(checkout, 'env/local.yaml'), 'a: [');
  const [table, local] = (await refusal(checkout)).split('\n');
  expect(table).toBe(`${tableFile}: missing, expected a file: git restore helm`);
  expect(local).toMatch(/^env\/local\.yaml:1:/);
});
