import { once } from 'node:events';
import { access, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { listNodes } from './cluster.ts';
import { request, requestJson } from './ingress.ts';
import { sharedCheckout, test } from './shared-checkout.ts';

const checkout = sharedCheckout();
let row: { readonly id: number };
let file: { readonly id: number };

beforeAll(async () => {
  const origin = (await checkout.up()).addresses[0]?.url ?? '';
  row = await requestJson(`${origin}svc/user/api/users`, { text: 'kept' });
  file = await requestJson(`${origin}svc/storage/api/storage/files`, { text: 'kept.txt' });
  const content = `${origin}svc/storage/api/storage/files/${file.id}/content`;
  expect(await request(content, { method: 'PUT', body: 'kept as well' })).toMatchObject({ status: 200 });
});

describe('down', () => {
  test('removes the cluster and keeps its data, which the next up has, though on other ports', async () => {
    expect(await checkout.run('down')).toMatchObject({ exitCode: 0 });
    expect(await listNodes(checkout)).toEqual([]);

    // What the environment asks for is taken by somebody else.
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    const local = join(checkout.root, 'env/local.yaml');
    await writeFile(local, `cluster: { httpPort: ${port}, httpsPort: ${port - 1} }\n`);
    try {
      const { stdout, stderr, exitCode } = await checkout.run('up', '--yes', '--json');
      expect({ stderr, exitCode }).toMatchObject({ exitCode: 0 });
      // Who has it is said, and what is taken instead.
      expect(stderr).toContain(String(port));
      const [, http = ''] = /: using (\d+) and \d+ from now on/.exec(stderr) ?? [];
      const [{ url }] = JSON.parse(stdout).addresses;
      expect(url).toBe(`http://localhost:${http}/`);
      await expectDataAt(url);

      // Free again, it is not moved to.
      squatter.close();
      await once(squatter, 'close');
      expect(await checkout.up()).toMatchObject({ changed: false, addresses: [{ url }] });
    } finally {
      squatter.close();
      await rm(local);
    }
  });

  test('--delete-data --yes erases it', async () => {
    const { stderr, stdout, exitCode } = await checkout.run('down', '--delete-data', '--yes');
    expect({ stdout, exitCode }).toMatchObject({
      stdout: expect.stringContaining('are deleted'),
      exitCode: 0,
    });
    expect(stderr).toContain('wealist-kind-local/data-postgres-0');
    expect(await listNodes(checkout)).toEqual([]);
    await expect(access(checkout.data)).rejects.toThrow('ENOENT');
  });
});

async function expectDataAt(origin: string): Promise<void> {
  expect(await requestJson(`${origin}svc/user/api/users/${row.id}`)).toMatchObject(row);
  expect(await requestJson(`${origin}svc/storage/api/storage/files/${file.id}`)).toMatchObject({
    text: 'kept.txt',
  });
  const content = await request(`${origin}svc/storage/api/storage/files/${file.id}/content`);
  expect(content).toEqual({ status: 200, body: 'kept as well' });
}
