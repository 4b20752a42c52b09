import { expect, test } from 'vitest';
import type { LogSource } from '../../src/logs/log-containers.ts';
import { parseLogEntry } from '../../src/logs/log-entry.ts';
import { createReadableFormat, formatAsJson } from '../../src/logs/log-format.ts';
import { toLogTime } from '../../src/logs/log-line.ts';
import { createColors } from '../../src/ui/style.ts';

const auth: LogSource = {
  component: 'auth-service',
  pod: 'auth-service-5f-abc',
  container: 'auth-service',
  podSuffix: undefined,
  isOneOfSeveral: false,
};
// Local noon, so that the time of day is the same everywhere.
const time = toLogTime(new Date(2026, 10, 23, 12, 34, 56, 789).getTime());

const format = createReadableFormat({
  components: ['auth-service', 'postgres'],
  colors: createColors(false),
});
const readable = (text: string, source = auth) => format(source, [{ time, text }]);

test('plain lines: component, time of day, text', () => {
  expect(readable('hello')).toBe('auth-service  12:34:56.789  hello\n');
  expect(readable('hello', { ...auth, component: 'postgres' })).toBe('postgres      12:34:56.789  hello\n');
});

test('the pod when there are several, the container when the pod has several', () => {
  expect(readable('x', { ...auth, podSuffix: 'abc' })).toMatch(/^auth-service\/abc {2}/);
  expect(readable('x', { ...auth, container: 'init', isOneOfSeveral: true })).toMatch(
    /^auth-service:init {2}/,
  );
});

test('JSON lines: level, message, and the other fields without duplicates', () => {
  const text = JSON.stringify({
    ...{ time: '2026', level: 'warn', service: 'auth-service', message: 'user-service is down' },
    ...{ tries: 3, reason: 'connection refused', empty: null },
  });
  expect(readable(text)).toBe(
    'auth-service  12:34:56.789  WARN  user-service is down tries=3 reason="connection refused" empty=null\n',
  );
  expect(readable('{"level":30,"msg":"pino","service":"other"}')).toMatch(/INFO {2}pino service=other\n$/);
  expect(readable('{"message":"a","stack":"Error: a\\n    at b"}')).toBe(
    'auth-service  12:34:56.789  a\n    Error: a\n        at b\n',
  );
});

test.each([
  ['winston', { message: 'm', stack: 'Error: a\n    at b' }, ['Error: a', '    at b'], {}],
  ['zap', { msg: 'm', stacktrace: 'main.main\n\t/app:1' }, ['main.main', '\t/app:1'], {}],
  ['logback', { message: 'm', stack_trace: 'a.B: c\n\tat d\n' }, ['a.B: c', '\tat d'], {}],
  [
    'pino',
    { msg: 'm', err: { type: 'E', stack: 'E: a\n    at b' } },
    ['E: a', '    at b'],
    { err: { type: 'E' } },
  ],
  ['ECS', { message: 'm', error: { stack_trace: 'a\nb', type: 'T' } }, ['a', 'b'], { error: { type: 'T' } }],
  ['Python', { message: 'm', exc_info: 'Traceback\n  File' }, ['Traceback', '  File'], {}],
  [
    'zerolog',
    { message: 'm', error: 'boom', stack: [{ func: 'main', line: '12', source: 'main.go' }] },
    ['main (main.go:12)'],
    { error: 'boom' },
  ],
  ['a text of one line', { message: 'm', stack: 'mern' }, [], { stack: 'mern' }],
  ['a list of others', { message: 'm', stack: ['a', 1] }, [], { stack: ['a', 1] }],
])('the stack of %s is found, and what else stands beside it stays', (_, object, stack, fields) => {
  expect(parseLogEntry(JSON.stringify(object))).toMatchObject({ message: 'm', stack, fields });
});

test('a line with a level and no message has its fields', () => {
  expect(readable('{"level":"error","error":"boom"}')).toMatch(/ {2}ERROR error=boom\n$/);
  expect(readable('{"level":"error"}')).toMatch(/ {2}ERROR \n$/);
});

test('what is highlighted is emphasised in texts, fields and stacks, where there are colours', () => {
  const highlight = /bo+m/i;
  const make = (enabled: boolean) =>
    createReadableFormat({ components: ['auth-service'], colors: createColors(enabled), highlight });
  const text = JSON.stringify({ message: 'Boom, boom', error: 'boom', stack: 'a\nbom' });
  const marked = make(true)(auth, [{ time, text }]);
  const { bold, yellow } = createColors(true);
  for (const word of ['Boom', 'boom', 'bom']) expect(marked).toContain(bold(yellow(word)));
  expect(make(false)(auth, [{ time, text }])).toBe(readable(text));
});

test.each(['{"no":"message"}', '{broken', '{"message":1}', '[1]', '{}', ''])(
  '%s is shown as it is',
  (text) => {
    expect(parseLogEntry(text)).toBeUndefined();
    expect(readable(text)).toBe(`auth-service  12:34:56.789  ${text}\n`);
  },
);

test('escape sequences are removed, also within JSON', () => {
  const evil = '\x1b]0;title\x07\x1b[2J\x1b[31mred\r\x1b[8m';
  const colored = createReadableFormat({ components: ['auth-service'], colors: createColors(true) });
  const source = { ...auth, part: 'other' };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape is what it looks for.
  const own = /\x1b\[(2|22|3\d|39)m/g;
  for (const text of [
    evil,
    JSON.stringify({ message: evil, key: evil, [evil]: 1, level: evil, stack: evil }),
  ]) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape is what it looks for.
    expect(colored(source, [{ time, text }]).replace(own, '')).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
  }
});

test('JSON output: one object per line', () => {
  const lines = [
    { time, text: 'plain' },
    { time, text: '{"level":"error","message":"m","a":1}' },
  ];
  const common = { time, service: 'auth-service', pod: auth.pod, container: 'auth-service' };
  expect(
    formatAsJson(auth, lines)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { ...common, message: 'plain' },
    { ...common, level: 'error', message: 'm', fields: { a: 1 } },
  ]);
});
