import { expect, test } from 'vitest';
import { createLevelFilter, findLevel } from '../../src/logs/log-level.ts';
import { toGap } from '../../src/logs/log-line.ts';

test.each([
  ['{"level":"warn","message":"m"}', 'warn'],
  ['{"severity":"CRITICAL","message":"m"}', 'fatal'],
  ['{"level":50,"msg":"pino"}', 'error'],
  ['time=2026-11-26T12:00:00Z level=warning msg="logfmt"', 'warn'],
  ['ts=1 severity="ERROR" event=x', 'error'],
  ['2026-11-26 12:00:00.123 UTC [27] LOG:  checkpoint starting: time', 'info'],
  ['2026-11-26 12:00:00.123 UTC [83] FATAL:  password authentication failed', 'fatal'],
  ['2026-11-26 12:00:00.123 UTC [83] ERROR:  relation "x" does not exist', 'error'],
  ['1:M 26 Nov 2026 12:00:00.000 * Ready to accept connections tcp', 'info'],
  ['1:M 26 Nov 2026 12:00:00.000 # Warning: 32 bit', 'warn'],
  ['2026-11-26T12:00:00.000+09:00  WARN 1 --- [main] o.s.Some : text', 'warn'],
  ['2026/11/26 12:00:00 [error] 7#7: *1 open() failed', 'error'],
  ['2026-11-26T12:00:00.000Z\tINFO\tmain.go:12\tzap', 'info'],
  ['2026-11-26T12:00:00Z INF zerolog', undefined],
  ['E1126 12:00:00.000000       1 controller.go:12] klog', 'error'],
  ['[WARNING] python', 'warn'],
  ['DEBUG:root:python', 'debug'],
  ['an error in plain words is no level', undefined],
  ['ERRORS were found: 0', undefined],
  ['{"level":"odd","message":"m"}', undefined],
])('%s', (text, level) => {
  expect(findLevel(text)).toBe(level);
});

test('a level and above; a continuation has the level of its line, and no level counts as info', () => {
  const filter = createLevelFilter('warn');
  const lines = [
    ...['{"level":"info","message":"a"}', 'plain', 'ERROR: b', '    at c', 'Caused by: d', 'plain'],
    ...['2026-11-26 12:00:00 UTC [1] ERROR:  e', '2026-11-26 12:00:00 UTC [1] STATEMENT:  select', ' x'],
  ].map((text) => ({ time: '', text }));
  const shown = (some: typeof lines) => filter(some).map(({ text }) => text);
  // In two calls, because a stack trace may arrive in the next chunk.
  expect([...shown(lines.slice(0, 3)), ...shown(lines.slice(3))]).toEqual([
    ...['ERROR: b', '    at c', 'Caused by: d'],
    ...['2026-11-26 12:00:00 UTC [1] ERROR:  e', '2026-11-26 12:00:00 UTC [1] STATEMENT:  select', ' x'],
  ]);
  expect(createLevelFilter('info')([{ time: '', text: 'plain' }])).toHaveLength(1);
  expect(filter([toGap('')])).toHaveLength(1);
});
