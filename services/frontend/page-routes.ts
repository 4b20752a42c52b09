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

/** Routes for the files of `folder`, with index.html at `/`, and for the browser's configuration. */
export function pageRoutes(folder: string, settings: Settings): HttpRoute[] {
  const apiBaseUrl = settings.optional('API_BASE_URL') ?? '';
  const headers = { 'content-security-policy': toPolicy(apiBaseUrl), 'referrer-policy': 'same-origin' };
  // One route per existing file, so that no request path reaches the file system.
  const files = readdirSync(folder).map((file): HttpRoute => {
    const contentType = contentTypes[extname(file)] ?? 'application/octet-stream';
    return {
      method: 'GET',
      path: file === 'index.html' ? '/' : `/${file}`,
      quiet: true,
      async handle(request) {
        return respondWithEtag(request, await readFile(join(folder, file)), {
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
      handle: (request) =>
        respondWithEtag(request, config, { 'content-type': 'text/javascript; charset=utf-8' }),
    },
  ];
}

/**
 * File names do not change with their content, so the browser revalidates each time. The ETag is a hash of the content,
 * because all files of an image have the same modification time.
 */
function respondWithEtag(
  { message }: Request,
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
): Reply {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  const caching = { 'cache-control': 'no-cache', etag };
  const cachedTags = message.headers['if-none-match']
    ?.split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''));
  if (cachedTags?.includes(etag)) return { status: 304, headers: caching };
  return { headers: { ...headers, ...caching }, body };
}

/** A content security policy for the page's own files, and for requests to its origin or that of API_BASE_URL. */
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
