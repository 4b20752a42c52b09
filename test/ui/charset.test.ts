import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { isOtherCharset, toAscii, writeAscii } from '../../src/ui/charset.ts';
import { symbols } from '../../src/ui/style.ts';

test.each([
  [{}, false],
  [{ LANG: 'ko_KR.UTF-8' }, false],
  [{ LANG: 'en_US.utf8', LC_ALL: '' }, false],
  [{ LC_ALL: 'C', LANG: 'en_US.UTF-8' }, true],
  [{ LC_ALL: 'ko_KR.EUC-KR' }, true],
  [{ LC_CTYPE: 'C.UTF-8', LANG: 'C' }, false],
])('%j', (env, isOther) => {
  expect(isOtherCharset(env)).toBe(isOther);
});

test('all symbols have a sign of ASCII, and other texts stay', async () => {
  const own = Object.values(symbols).join('');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII.
  expect(toAscii(`${own}…→×█`)).toMatch(/^[\x00-\x7f]+$/);
  const output = new PassThrough() as unknown as NodeJS.WriteStream & PassThrough;
  writeAscii(output);
  output.write('✔ 서비스 …\n');
  output.write(Buffer.from('✔'));
  output.end();
  expect(await text(output)).toBe('+ 서비스 ...\n✔');
});
