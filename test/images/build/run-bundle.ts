import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { type BundledFile, bundlePackages } from '../../../src/images/build/bundle.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Runs the image's files outside the checkout, so without its node_modules. */
export async function runBundle(files: readonly BundledFile[], env: Readonly<Record<string, string>>) {
  const folder = await makeTemporaryFolder();
  for (const { path, content, mode } of [...files, ...(await bundlePackages())]) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content, { mode });
  }
  const program = spawn(process.execPath, [join(folder, 'app/main.js')], { env, cwd: folder });
  onTestFinished(() => void program.kill('SIGKILL'));
  const exited = once(program, 'exit');
  const output = Promise.all([text(program.stdout), text(program.stderr)]);
  return { folder, program, exited, output };
}

export async function answerOf(url: string): Promise<Response> {
  for (;;) {
    const response = await fetch(url).catch(() => undefined);
    if (response) return response;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Every key that a service may read; nothing listens at the addresses. */
export const bundleEnv = {
  ...Object.fromEntries(
    ['AUTH', 'USER', 'BOARD', 'CHAT', 'NOTI', 'STORAGE', 'VIDEO'].map((name) => [
      `${name}_SERVICE_URL`,
      'http://127.0.0.1:1',
    ]),
  ),
  DATABASE_URL: 'postgresql://user:password@127.0.0.1:1/database',
  REDIS_URL: 'redis://127.0.0.1:1',
  S3_ENDPOINT: 'http://127.0.0.1:1',
  S3_BUCKET: 'wealist-files',
  S3_REGION: 'ap-northeast-2',
  S3_ACCESS_KEY: 'key',
  S3_SECRET_KEY: 'secret',
  JWT_SECRET: 's'.repeat(64),
};
