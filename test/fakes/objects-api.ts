import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** An API server that lists the objects of `objects.json` in a state folder: the ones that the fake kubectl knows. */
export async function startObjectsApi(state: () => string): Promise<string> {
  const server = createServer(async (request, response) => {
    const objects: readonly { readonly kind: string }[] = JSON.parse(
      await readFile(join(state(), 'objects.json'), 'utf8'),
    );
    const resource = new URL(request.url ?? '/', 'http://api').pathname.split('/').at(-1);
    const items = objects
      .filter(({ kind }) => toResource(kind) === resource)
      // As in a list of the API, which says the kind once.
      .map(({ kind: _, ...object }) => object);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ items }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** `NetworkPolicy` → `networkpolicies` */
function toResource(kind: string): string {
  const name = kind.toLowerCase();
  if (name.endsWith('y')) return `${name.slice(0, -1)}ies`;
  return name.endsWith('s') ? `${name}es` : `${name}s`;
}
