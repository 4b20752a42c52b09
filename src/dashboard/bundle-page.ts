import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface PageFile {
  readonly type: string;
  readonly body: Uint8Array;
}

/** The files of the page by their path. */
export type PageFiles = ReadonlyMap<string, PageFile>;

const types: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

/** Bundles the page of `dashboard/`, in a tenth of a second: only this command needs it, so it is not kept. */
export async function bundlePage(checkout: string): Promise<PageFiles> {
  const { build, stop } = await import('esbuild');
  const folder = join(checkout, 'dashboard');
  const { outputFiles } = await build({
    absWorkingDir: checkout,
    entryPoints: [join(folder, 'main.tsx'), join(folder, 'graph-worker.ts'), join(folder, 'page.css')],
    outdir: '/',
    write: false,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome110', 'firefox110', 'safari16'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'silent',
  });
  // Its process would otherwise stay as long as this one.
  await stop();
  const files = new Map<string, PageFile>();
  for (const { path, contents } of outputFiles) {
    const type = types[path.split('.').at(-1) ?? ''];
    if (type !== undefined) files.set(`/${path.split('/').at(-1)}`, { type, body: contents });
  }
  const html = await readFile(join(folder, 'index.html'), 'utf8');
  const withVersion = html.replace('VERSION', toVersion(files));
  files.set('/', { type: 'text/html; charset=utf-8', body: Buffer.from(withVersion) });
  files.set('/icon.svg', { type: 'image/svg+xml', body: await readFile(join(folder, 'icon.svg')) });
  return files;
}

/** Another content is another version, by which an open tab knows that it must load the page again. */
export function toVersion(files: PageFiles): string {
  const hash = createHash('sha256');
  for (const [path, { body }] of files) if (path.endsWith('.js') || path.endsWith('.css')) hash.update(body);
  return hash.digest('hex').slice(0, 12);
}
