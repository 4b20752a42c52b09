import { expect, test } from 'vitest';
import { loadEnvironment } from '../../src/config/load.ts';
import { createCheckout } from './checkout.ts';
import { refusal } from './refusal.ts';

const write = (live: string) =>
  createCheckout({ 'env/local.yaml': `services:\n  noti-service:\n    live: [${live}]\n` });

test.each([
  ['then: restart', 'restart'],
  ['then: { exec: [nginx, -s, reload] }', { exec: ['nginx', '-s', 'reload'] }],
])('%s follows a live update', async (text, then) => {
  const checkout = await write(`{ from: a, to: /app, ${text} }`);
  const { services } = await loadEnvironment({ checkout, name: 'local-kind' });
  expect(services['noti-service']?.live).toEqual([{ from: 'a', to: '/app', build: 'source', then }]);
});

const expected = 'expected restart, or a command such as { exec: [nginx, -s, reload] }';

test.each([
  ['then: restrat', expected],
  ['then: { exec: nginx -s reload }', expected],
  ['then: { exec: [] }', expected],
  ['then: { exec: [1] }', expected],
  ['then: { run: [a] }', expected],
  ['then: restart, build: stand-in', 'a stand-in reloads itself'],
])('%s is refused with its place', async (text, message) => {
  const said = await refusal(await write(`{ from: a, to: /app, ${text} }`));
  expect(said).toMatch(/^env\/local\.yaml:3:\d+ services\.noti-service\.live/);
  expect(said).toContain(message);
  expect(said.split('\n')).toHaveLength(1);
});
