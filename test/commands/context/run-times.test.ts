import { expect, test } from 'vitest';
import { toTimes } from '../../../src/commands/context/run-times.ts';
import { makeRun } from '../../fakes/runs.ts';

const reload = (seconds: number, phases: Readonly<Record<string, number>> = {}) =>
  makeRun({ command: 'reload', seconds, steps: [{ step: 'auth-service', seconds, phases }] });

test('last, and median of the times before, for a run, its steps and their phases', () => {
  const runs = [reload(2, { build: 1.5 }), reload(1, { build: 0.5 }), reload(4, { build: 3 }), reload(1.5)];
  expect(toTimes(runs)).toMatchObject([
    {
      ...{ command: 'reload', runs: 4, lastState: 'ended', lastExitCode: 0 },
      whole: { last: 2, median: 1.5, count: 4, slower: false },
      steps: [
        {
          ...{ stage: 'Reload', step: 'auth-service', last: 2, median: 1.5, count: 4 },
          phases: [{ phase: 'build', last: 1.5, median: 1.75, count: 3 }],
        },
      ],
    },
  ]);
});

test('a first time has no median', () => {
  expect(toTimes([reload(2)])[0]?.steps).toMatchObject([
    { last: 2, median: undefined, count: 1, slower: false },
  ]);
});

test.each([
  ['more than its noise', [3, 1, 1.1, 0.9, 1, 1.1], true],
  ['no more than its noise', [2.4, 1, 2.2, 0.6, 2.6, 1.1], false],
  ['one slow run of before does not hide it', [3, 1, 1.1, 60, 1, 1.1], true],
  ['less than 0.2 s', [1.19, 1, 1, 1, 1, 1], false],
  ['too few runs before', [3, 1, 1, 1], false],
  ['faster', [0.2, 1, 1, 1, 1, 1], false],
])('slower: %s', (_, seconds, slower) => {
  const [times] = toTimes(seconds.map((each) => reload(each, { build: each })));
  expect(times?.steps[0]).toMatchObject({ slower, phases: [{ slower }] });
  expect(times?.whole).toMatchObject({ slower });
});

test('a whole run is compared with those that did the same', () => {
  const unchanged = (seconds: number) => makeRun({ command: 'up', seconds, steps: [] });
  const cold = makeRun({ command: 'up', seconds: 60, steps: [{ step: 'Create cluster', seconds: 14 }] });
  const [times] = toTimes([unchanged(1.2), cold, unchanged(1.3), unchanged(1.1)]);
  expect(times?.whole).toEqual({ last: 1.2, median: 1.2000000000000002, count: 3, slower: false });
});

test('steps that failed or were interrupted, and failed runs, are not counted', () => {
  const failed = makeRun({
    command: 'reload',
    seconds: 9,
    exitCode: 7,
    steps: [{ step: 'auth-service', seconds: 9, state: 'failed' }],
  });
  const [times] = toTimes([failed, reload(2), reload(1)]);
  expect(times).toMatchObject({ runs: 3, lastExitCode: 7, whole: { last: 2, count: 2 } });
  expect(times?.steps).toMatchObject([{ last: 2, median: 1, count: 2 }]);
});

test('the last 20 runs of each command are counted', () => {
  const runs = [
    ...Array.from({ length: 30 }, () => reload(1)),
    makeRun({ command: 'up', seconds: 1, steps: [] }),
  ];
  expect(toTimes(runs).map(({ command, runs }) => [command, runs])).toEqual([
    ['reload', 20],
    ['up', 1],
  ]);
});
