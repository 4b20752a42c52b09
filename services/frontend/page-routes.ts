import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { HttpRoute, Reply, Request } from '../common/route.ts';
import type { Settings } from '../common/settings.ts';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The page: the files of `folder`, each at its name, index.html at `/`, and what the browser must know. */
export function pageRoutes(folder: string, settings: Settings): HttpRoute[] {
  const apiBaseUrl = settings.optional('API_BASE_URL') ?? '';
  const headers = { 'content-security-policy': toPolicy(apiBaseUrl), 'referrer-policy': 'same-origin' };
  // One route for each file that is there: no path of a request ever reaches the file system.
  const files = readdirSync(folder).map((file): HttpRoute => {
    const contentType = contentTypes[extname(file)] ?? 'application/octet-stream';
    return {
      method: 'GET',
      path: file === 'index.html' ? '/' : `/${file}`,
      quiet: true,
      async handle(request) {
        return revalidated(request, await readFile(join(folder, file)), {
          'content-type': contentType,
          ...headers,
        });
      },
    };
  });
  const config = Buffer.from(`window.__ENV__ = ${JSON.stringify({ API_BASE_URL: apiBaseUrl })};\n`);
  return [
    ...files,
    {
      method: 'GET',
      path: '/config.js',
      quiet: true,
      handle: (request) => revalidated(request, config, { 'content-type': 'text/javascript; charset=utf-8' }),
    },
  ];
}

/**
 * The names of the files do not change with their content, so the browser asks each time and mostly hears that
 * nothing changed. By content and not by time: files of an image all have the same time.
 */
function revalidated(
  { message }: Request,
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
): Reply {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  const caching = { 'cache-control': 'no-cache', etag };
  const known = message.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known?.includes(etag)) return { status: 304, headers: caching };
  return { headers: { ...headers, ...caching }, body };
}

/** Only what the page consists of, and the services it asks: its own origin, or that of API_BASE_URL. */
function toPolicy(apiBaseUrl: string): string {
  const api = URL.canParse(apiBaseUrl) ? ` ${new URL(apiBaseUrl).origin}` : '';
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self'${api}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
