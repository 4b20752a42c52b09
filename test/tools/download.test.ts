import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hashContent } from '../../src/lib/hash.ts';
import { download } from '../../src/tools/download.ts';
import { exec } from '../../src/tools/exec.ts';
import { releaseChecksums } from '../../src/tools/release-checksums.ts';
import { type ToolName, toolRelease } from '../../src/tools/releases.ts';
import { startTlsProxy } from '../fakes/tls-proxy.ts';

const root = join(import.meta.dirname, '../..');

/** Runs a script with these variables and without those of the machine that the test runs on. */
async function run(script: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const none = {
    HTTP_PROXY: '',
    http_proxy: '',
    HTTPS_PROXY: '',
    https_proxy: '',
    NO_PROXY: '',
    no_proxy: '',
  };
  const options = { cwd: root, env: { ...none, ...env } };
  return (await exec(process.execPath, ['--import', 'tsx', script, ...args], options)).stdout;
}

async function downloadIn(env: Readonly<Record<string, string>>, ...args: readonly string[]) {
  return JSON.parse(await run('test/tools/download-file.ts', args, env));
}

test('through a proxy with a password, with the CA of a company, and on to the host it is redirected to', async () => {
  const location = 'https://b.example/file';
  const { proxy, certificate, asked } = await startTlsProxy(['a.example', 'b.example'], (url) =>
    url === location ? 'content' : { location },
  );
  const env = { HTTPS_PROXY: proxy.replace('//', '//ada:p%40ss@'), NODE_EXTRA_CA_CERTS: certificate };
  expect(await downloadIn(env, 'https://a.example/', hashContent('content'))).toEqual({ content: 'content' });
  const login = `Basic ${btoa('ada:p@ss')}`;
  expect(asked).toEqual([
    { target: 'a.example:443', login },
    { target: 'b.example:443', login },
  ]);
});

test('hosts of NO_PROXY, and this machine, are asked directly', async () => {
  const { proxy, server, certificate, asked } = await startTlsProxy([], () => 'direct');
  const env = { HTTPS_PROXY: proxy, NODE_EXTRA_CA_CERTS: certificate };
  expect(await downloadIn(env, `${server}/file`, hashContent('direct'))).toEqual({ content: 'direct' });
  const excepted = await downloadIn(
    { ...env, NO_PROXY: '.invalid' },
    'https://a.invalid/file',
    hashContent('direct'),
  );
  expect(excepted).toMatchObject({ exitCode: 3, cause: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) });
  expect(asked).toEqual([]);
});

test('a certificate of an unknown CA is refused, with the way to name the CA', async () => {
  const { proxy } = await startTlsProxy(['a.example'], () => 'content');
  expect(
    await downloadIn({ https_proxy: proxy }, 'https://a.example/', hashContent('content')),
  ).toMatchObject({ exitCode: 3, hint: expect.stringContaining('NODE_EXTRA_CA_CERTS') });
});

test('a proxy that refuses the tunnel is named as the cause', async () => {
  const { proxy } = await startTlsProxy(['a.example'], () => '', { status: 407 });
  expect(await downloadIn({ https_proxy: proxy }, 'https://a.example/', '')).toEqual({
    message: 'https://a.example/ could not be downloaded',
    cause: 'the proxy responded with status 407',
    hint: 'env | grep -i _proxy',
    exitCode: 3,
  });
});

test('a release with another content than the pinned one is refused, even with a matching checksum beside it', async () => {
  const { proxy, certificate } = await startTlsProxy(['github.com'], (url) =>
    url.endsWith('.sha256sum') ? hashContent('changed') : 'changed',
  );
  const env = { HTTPS_PROXY: proxy, NODE_EXTRA_CA_CERTS: certificate };
  const { url, name } = toolRelease('kind', 'linux', 'amd64');
  expect(await downloadIn(env, 'kind', 'linux', 'amd64')).toEqual({
    message: `${url} does not have the expected checksum`,
    cause: `expected ${releaseChecksums[name]}, got ${hashContent('changed')}`,
    exitCode: 9,
  });
});

test('a release without a pinned checksum is not downloaded', async () => {
  expect(await downloadIn({}, 'kind', 'linux', 'riscv64')).toMatchObject({
    message: expect.stringMatching(/^no checksum of kind .* linux riscv64 is known$/),
    exitCode: 3,
  });
});

const tools: readonly ToolName[] = ['kind', 'kubectl', 'helm'];
const pinned = tools.flatMap((tool) =>
  ['darwin', 'linux'].flatMap((os) => ['amd64', 'arm64'].map((arch) => toolRelease(tool, os, arch))),
);

test('every tool has a checksum for the version in use, and no other', () => {
  expect(Object.keys(releaseChecksums)).toEqual(pinned.map(({ name }) => name));
  for (const checksum of Object.values(releaseChecksums)) expect(checksum).toMatch(/^[0-9a-f]{64}$/);
  expect(new Set(Object.values(releaseChecksums)).size).toBe(pinned.length);
});

test('scripts/pin-releases.ts writes them from what the publishers state', async () => {
  const hosts = [...new Set(pinned.map(({ url }) => new URL(url).host))];
  const { proxy, certificate } = await startTlsProxy(hosts, (url) => `${hashContent(url)}  a file\n`);
  const env = { HTTPS_PROXY: proxy, NODE_EXTRA_CA_CERTS: certificate };
  const printed = await run('scripts/pin-releases.ts', ['--print'], env);
  const lines = pinned.map(({ name, checksum }) => `  '${name}': '${hashContent(checksum)}',\n`);
  expect(printed).toContain(lines.join(''));
});

test('a download that stalls fails', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-length': 10 });
    response.write('begin');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await expect(download(url, new AbortController().signal, 100)).rejects.toMatchObject({
    message: `${url} could not be downloaded`,
    exitCode: 3,
  });
});
