import { expect, test } from 'vitest';
import { metrics } from '../../../scripts/soak/metrics.ts';
import { describeSoak, judgeSoak, type Sample } from '../../../scripts/soak/report.ts';
import { parseValues } from '../../../scripts/soak/sample-node.ts';

const requests = { sent: 100, failed: [], expected: 2 };
const base = {
  seed: 7,
  seconds: 600,
  operations: [{ title: 'db save', seconds: [1, 2] }],
  failures: [],
  requests,
};

/** A sample every ten seconds. */
function sample(nodeProcesses: (index: number) => number): readonly Sample[] {
  return Array.from({ length: 60 }, (_, index) => ({
    seconds: index * 10,
    values: { nodeProcesses: nodeProcesses(index), ourMemory: 100e6 },
  }));
}

test('a soak in which nothing grew has passed', () => {
  const result = judgeSoak({ ...base, samples: sample((index) => (index < 12 ? index : 90)) });
  expect(result).toMatchObject({ passed: true });
  expect(result.figures.map(({ name, verdict }) => ({ name, verdict }))).toEqual([
    { name: 'nodeProcesses', verdict: 'steady' },
    { name: 'ourMemory', verdict: 'steady' },
  ]);
  const printed = describeSoak(result);
  expect(printed).toMatch(/^seed 7, 10 min: 2 × db save\n100 requests: 0 failed, and 2 while/);
  expect(printed).toMatch(/processes on the node +90 +90 +0 - 90 +steady/);
  expect(printed).toMatch(/reload --watch +100 MB +100 MB/);
  // What was not measured cannot have been judged.
  expect(printed).toMatch(/not measured: .*record of the runs/);
});

test('one in which something grew has not, nor one with a failed request, nor one that ended early', () => {
  expect(judgeSoak({ ...base, samples: sample((index) => index) })).toMatchObject({ passed: false });
  const samples = sample(() => 1);
  const failed = [{ at: '2026-11-30T10:00:00.000Z', url: 'http://localhost/', reason: '503' }];
  const withFailure = judgeSoak({ ...base, samples, requests: { ...requests, failed } });
  expect(withFailure).toMatchObject({ passed: false });
  expect(describeSoak(withFailure)).toContain('2026-11-30T10:00:00.000Z http://localhost/: 503');
  expect(judgeSoak({ ...base, samples, failures: ['4 up: exit code 8'] })).toMatchObject({ passed: false });
  expect(judgeSoak({ ...base, samples, error: 'operation 3, up' })).toMatchObject({ passed: false });
});

test('each figure has its own name', () => {
  const names = metrics.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('what the node prints are values, and anything else ends the soak', () => {
  expect(parseValues(['nodeImages 31', 'nodeFiles 2804'])).toEqual({ nodeImages: 31, nodeFiles: 2804 });
  expect(() => parseValues(['nodeImages '])).toThrow('not a value: "nodeImages "');
  expect(() => parseValues(['ctr: cannot dial'])).toThrow('not a value');
});
