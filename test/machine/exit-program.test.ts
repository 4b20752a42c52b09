import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exitProgram } from '../../src/machine/exit-program.ts';
import { exec } from '../../src/tools/exec.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

const own = process.platform === 'linux' && { x64: 'amd64', arm64: 'arm64' }[process.arch as string];

test.runIf(own)('runs on this processor and ends well', async () => {
  const path = join(await makeTemporaryFolder(), 'exit');
  await writeFile(path, exitProgram(own || '') ?? '', { mode: 0o755 });
  expect(await exec(path, [])).toEqual({ stdout: '', stderr: '' });
});

test('one for each processor that kind has nodes for', () => {
  const [amd64, arm64] = [exitProgram('amd64'), exitProgram('arm64')].map((program) =>
    Buffer.from(program ?? ''),
  );
  expect(amd64?.subarray(0, 4)).toEqual(Buffer.from('\x7fELF'));
  expect([amd64?.readUInt16LE(18), arm64?.readUInt16LE(18)]).toEqual([62, 183]);
  // All of the file is loaded, and it starts behind its headers.
  expect(arm64?.readBigUInt64LE(64 + 32)).toBe(BigInt(arm64?.length ?? 0));
  expect(arm64?.readBigUInt64LE(24)).toBe(0x40_0078n);
  expect(exitProgram('riscv64')).toBeUndefined();
});
