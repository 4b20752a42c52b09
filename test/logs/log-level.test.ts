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
  ['2026-11-26T12:00:00Z INF zerolog', 'info'],
  ['\u001b[90m3:04PM\u001b[0m \u001b[31mERR\u001b[0m zerolog error=boom', 'error'],
  ['{"level":"error","error":"boom","time":"2026-11-26T12:00:00Z"}', 'error'],
  ['{"level":"fatal"}', 'fatal'],
  ['2026-11-26T12:00:00.000Z\t\u001b[31mERROR\u001b[0m\tmain.go:12\tzap', 'error'],
  ['\u001b[31mERROR\u001b[0m\tdb down', 'error'],
  ['1.7e9\terror\tmain.go:12\tzap', 'error'],
  ['2026-11-26T12:00:00.000Z\tDPANIC\tzap', 'fatal'],
  ['{"level":"dpanic","ts":1.7,"msg":"zap","stacktrace":"main.main\\n\\t/app/main.go:1"}', 'fatal'],
  ['\u001b[31mERRO\u001b[0m[0042] logrus                         error=boom', 'error'],
  ['FATA[0000] logrus', 'fatal'],
  ['time="2026-11-26T12:00:00Z" level=panic msg=logrus', 'fatal'],
  ['2026/11/26 12:00:00 ERROR slog err=boom', 'error'],
  ['time=2026-11-26T12:00:00Z level=ERROR+2 msg=slog', 'error'],
  ['{"time":"2026-11-26T12:00:00Z","level":"WARN","msg":"slog"}', 'warn'],
  ['[12:00:00.000] \u001b[31mERROR\u001b[39m (1): \u001b[36mpino-pretty\u001b[39m', 'error'],
  [
    '2026-11-26T12:00:00.000+09:00 \u001b[31mERROR\u001b[m \u001b[35m1\u001b[m --- [main] o.s.Some : text',
    'error',
  ],
  ['12:00:00.000 [http-nio-8080-exec-1] ERROR c.w.auth.Login -- logback', 'error'],
  ['{"@timestamp":"2026-11-26T12:00:00Z","log.level":"ERROR","message":"ecs"}', 'error'],
  ['2026/11/26 12:00:00 [emerg] 1#1: no such directive', 'fatal'],
  ['2026/11/26 12:00:00 [crit] 7#7: *1 connect() failed', 'fatal'],
  ['panic: runtime error: index out of range [3] with length 3', 'fatal'],
  ['fatal error: all goroutines are asleep - deadlock!', 'fatal'],
  ['goroutine 1 [running]:', 'error'],
  ['2026/11/26 12:00:00 http: panic serving 10.0.0.1:1: boom', 'error'],
  ['2026/11/26 12:00:00 \u001b[31m[Recovery] 2026/11/26 - 12:00:00 panic recovered:', 'error'],
  ['Traceback (most recent call last):', 'error'],
  ['ValueError: boom', 'error'],
  ['sqlalchemy.exc.OperationalError: (psycopg.OperationalError) no', 'error'],
  ['TypeError: x is not a function', 'error'],
  ['TypeError [ERR_INVALID_ARG_TYPE]: The "path" argument', 'error'],
  ['Error: connect ECONNREFUSED 127.0.0.1:5432', 'error'],
  ['Uncaught ReferenceError: x is not defined', 'error'],
  ['node:internal/process/promises:394', 'error'],
  ['/srv/server.js:10', 'error'],
  ['Exception in thread "main" java.lang.IllegalStateException: boom', 'error'],
  ['java.lang.NullPointerException', 'error'],
  ['(node:1) UnhandledPromiseRejectionWarning: Error: boom', 'error'],
  ['(node:1) [DEP0005] DeprecationWarning: Buffer() is deprecated', 'warn'],
  ['the Error: of a sentence', undefined],
  ['GET /ErrorPage 200', undefined],
  ['errors: 0', undefined],
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

/** The lines of a log that an error is between, each of them its stack. */
const traces: Readonly<Record<string, readonly string[]>> = {
  Go: [
    ...[
      'panic: boom',
      '\tpanic: again [recovered]',
      '[signal SIGSEGV: segmentation violation code=0x1 addr=0x0]',
    ],
    ...[
      '',
      'goroutine 1 [running]:',
      'main.(*Server).run(0xc000012345, {0x1, 0x2})',
      '\t/app/main.go:12 +0x1d',
    ],
    ...['created by main.start in goroutine 1', '\t/app/main.go:7', 'exit status 2'],
  ],
  'zap on a console': [
    ...['2026-11-26T12:00:00.000Z\t\u001b[31mERROR\u001b[0m\tmain.go:12\tboom\t{"id": 1}'],
    ...['github.com/a/b-c/v2.(*T).Run', '\t/go/pkg/mod/a.go:1', 'main.main', '\t/app/main.go:12'],
  ],
  Python: [
    ...['ERROR:root:failed', 'Traceback (most recent call last):', '  File "a.py", line 1, in <module>'],
    ...['KeyError: 1', '', 'During handling of the above exception, another exception occurred:', ''],
    ...['Traceback (most recent call last):', '  File "a.py", line 3', 'ValueError: boom'],
  ],
  Node: [
    ...[
      '/srv/server.js:10',
      "    throw new TypeError('x')",
      '    ^',
      '',
      'TypeError: x',
      '    at a (/srv/server.js:1)',
    ],
    ...["  code: 'E'", '}', '', 'Node.js v20.20.2'],
  ],
  Java: [
    ...[
      '2026-11-26T12:00:00.000+09:00 ERROR 1 --- [main] o.s.Some : failed',
      '',
      'java.lang.RuntimeException: boom',
    ],
    ...['\tat a.b.C.d(C.java:1)', 'Caused by: java.io.IOException: no', '\t... 12 common frames omitted'],
    ...['Suppressed: java.io.IOException: no', '... 3 more'],
  ],
};

test.each(Object.entries(traces))('a stack of %s belongs to its error, and nothing else does', (_, trace) => {
  const filter = createLevelFilter('error');
  const lines = ['plain, before', ...trace, 'plain, after', '{"level":"info","message":"a"}', '  its detail'];
  // One by one, since a stack may arrive in several chunks.
  const shown = lines.flatMap((text) => filter([{ time: '', text }])).map(({ text }) => text);
  expect(shown).toEqual(trace);
});
