import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLogCursor, type LogLine, parseLogLine, toLogTime } from '../../src/logs/log-line.ts';

const at = (second: number, text = ''): LogLine => ({ time: toLogTime(second * 1000), text });

test('parses a line of the API server', () => {
  const line = '2026-11-23T12:00:00.120000000Z  spaces  stay ';
  expect(parseLogLine(line, '')).toEqual({ time: '2026-11-23T12:00:00.120000000Z', text: ' spaces  stay ' });
  expect(parseLogLine('2026-11-23T12:00:00.120000000Z ', '')).toMatchObject({ text: '' });
  const lost = 'unable to retrieve container logs for containerd://1';
  expect(parseLogLine(lost, at(1).time)).toEqual({ time: at(1).time, text: lost });
});

test('the string order of times is their time order', () => {
  expect(toLogTime(Date.parse('2026-11-23T12:00:00.5Z'))).toBe('2026-11-23T12:00:00.500000000Z');
});

test('lines that were read are not returned again', () => {
  const cursor = createLogCursor();
  expect(cursor.take([at(1, 'a'), at(2, 'b'), at(2, 'c')]).length).toBe(3);
  cursor.rewind('same-run');
  expect(cursor.take([at(2, 'b'), at(2, 'c'), at(2, 'd'), at(3, 'e')]).map(({ text }) => text)).toEqual([
    'd',
    'e',
  ]);
  cursor.rewind('same-run');
  expect(cursor.take([at(3, 'e')])).toEqual([]);
  expect(cursor.time).toBe(at(3).time);
});

test('the log of the next run repeats nothing, even if it begins at the time of the last line', () => {
  const cursor = createLogCursor();
  cursor.take([at(1, 'a'), at(2, 'b')]);
  cursor.rewind('next-run');
  expect(cursor.take([at(2, 'c'), at(3, 'd')]).map(({ text }) => text)).toEqual(['c', 'd']);
});

test('a cursor with a start time skips earlier lines', () => {
  const cursor = createLogCursor(at(2).time);
  cursor.rewind('same-run');
  expect(cursor.take([at(1, 'a'), at(2, 'b'), at(3, 'c')]).map(({ text }) => text)).toEqual(['b', 'c']);
});

test('wherever reading is interrupted, each line is returned once and in order', () => {
  const log = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 30 }).map((steps) => {
    let second = 0;
    return steps.map((step, index) => {
      second += step;
      return at(second, String(index));
    });
  });
  fc.assert(
    fc.property(log, fc.array(fc.nat(30), { maxLength: 5 }), (lines, breaks) => {
      const cursor = createLogCursor();
      const taken: LogLine[] = [];
      for (const end of [...breaks.toSorted((one, other) => one - other), lines.length]) {
        cursor.rewind('same-run');
        const from = cursor.time ?? '';
        taken.push(...cursor.take(lines.slice(0, end).filter(({ time }) => time >= from)));
      }
      expect(taken).toEqual(lines);
    }),
    { seed: 1 },
  );
});
