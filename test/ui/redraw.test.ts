import { expect, test } from 'vitest';
import { createScreen } from '../fakes/screen.ts';

const up = (lines: number) => `\x1b[${lines}A\r`;

test('on a terminal each result is drawn over the previous one, and longer lines are cleared', () => {
  const { ui, stdout } = createScreen({ terminal: true });
  ui.redraw(1, 'one\ntwo');
  ui.redraw(2, 'three');
  const [first, second] = stdout().split(up(2));
  expect(first).toContain('one\x1b[K\ntwo\x1b[K\n');
  expect(second).toContain('three\x1b[K\n\x1b[J');
});

test('lines beyond the height are left out, and lines are not wrapped', () => {
  const { ui, stdout } = createScreen({ terminal: true });
  const lines = Array.from({ length: 100 }, (_, at) => `line ${at}`);
  ui.redraw(1, lines.join('\n'));
  ui.redraw(2, 'end');
  expect(stdout()).toContain('line 37\x1b[K\n…');
  expect(stdout()).not.toContain('line 38');
  expect(stdout()).toContain(up(39));
  expect(stdout().startsWith('\x1b[?7l')).toBe(true);
  expect(stdout().endsWith('\x1b[?7h')).toBe(true);
});

test('without a terminal a result is printed when it differs', () => {
  const { ui, stdout } = createScreen();
  ui.redraw({ ready: false }, 'not ready, 3 s');
  ui.redraw({ ready: false }, 'not ready, 4 s');
  ui.redraw({ ready: true }, 'ready');
  expect(stdout()).toBe('not ready, 3 s\nready\n');
});

test('under --json each different result is a line', () => {
  const { ui, stdout } = createScreen({ json: true, terminal: true });
  for (const ready of [false, false, true]) ui.redraw({ ready }, 'x');
  expect(stdout()).toBe('{"ready":false}\n{"ready":true}\n');
});
