import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { Pod } from '../../src/tools/kubernetes/objects.ts';
import { createLogs } from './api-server/logs.ts';
import { addPortForward } from './api-server/port-forward.ts';
import { type ApiObject, discover, parseListPath, toPath } from './api-server/resources.ts';
import { sendJson, sendStatus } from './api-server/respond.ts';

export interface ApiServerOptions {
  /** Whether the user lacks the permission for a request. */
  readonly isForbidden?: (method: string, path: string) => boolean;
  /** Why admission rejects an object; undefined when it is accepted. */
  readonly reject?: (path: string) => string | undefined;
}

export type ApiServerFake = Awaited<ReturnType<typeof startApiServer>>;

interface Change {
  readonly path: string;
  readonly line: string;
}

interface Watch {
  readonly response: ServerResponse;
  readonly isListed: (path: string) => boolean;
}

/**
 * An API server in memory: objects with get, list, watch and dry-run apply; the logs of pods; connections to their
 * ports.
 */
export async function startApiServer({
  isForbidden = () => false,
  reject = () => undefined,
}: ApiServerOptions = {}) {
  /** By path. */
  const objects = new Map<string, object>();
  const ports = new Map<string, number>();
  const requests: string[] = [];
  /** All changes in order; the resource version is their number. */
  const changes: Change[] = [];
  const watches = new Set<Watch>();
  const logs = createLogs();
  let isDown = false;

  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (isDown) request.socket.destroy();
    else void respond(request, response);
  });

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://api');
    const [, podPath, pod = ''] = /^(.+\/pods\/([^/]+))\/log$/.exec(path) ?? [];
    if (isForbidden(request.method ?? '', path)) sendStatus(response, 403, `${path} is forbidden`);
    else if (request.method === 'PATCH') await dryRun(path, query, request, response);
    else if (podPath !== undefined && objects.has(podPath)) logs.send({ pod, query, request, response });
    else if (query.has('watch')) watch(path, Number(query.get('resourceVersion')), response);
    else {
      const found = discover(path) ?? list(path, query) ?? objects.get(path);
      if (found) sendJson(response, 200, found);
      else sendStatus(response, 404, `${path} not found`);
    }
  }

  function list(path: string, query: URLSearchParams): object | undefined {
    const isListed = parseListPath(path);
    if (!isListed) return undefined;
    const labels = (query.get('labelSelector') ?? '').split(',').filter(Boolean);
    const items = [...objects]
      .filter(
        ([objectPath, object]) => isListed(objectPath) && labels.every((label) => hasLabel(object, label)),
      )
      // The items of a list have no kind.
      .map(([, object]) => ({ ...object, kind: undefined }));
    return { metadata: { resourceVersion: String(changes.length) }, items };
  }

  function watch(path: string, version: number, response: ServerResponse): void {
    const isListed = parseListPath(path) ?? (() => false);
    const started = { response: response.writeHead(200), isListed };
    watches.add(started);
    response.flushHeaders();
    for (const change of changes.slice(version)) if (isListed(change.path)) response.write(change.line);
    response.on('close', () => watches.delete(started));
  }

  /** Server-side apply, of which only the dry run is supported: nothing is changed. */
  async function dryRun(
    path: string,
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const applied = JSON.parse((await buffer(request)).toString());
    const problem = reject(path);
    if (query.get('dryRun') !== 'All')
      sendStatus(response, 400, 'the fake API server supports only dry runs');
    else if (problem !== undefined) sendStatus(response, 422, problem);
    else sendJson(response, 200, applyTo(objects.get(path) ?? {}, applied));
  }

  function change(type: 'ADDED' | 'MODIFIED' | 'DELETED', path: string, object: object): void {
    const line = `${JSON.stringify({ type, object })}\n`;
    changes.push({ path, line });
    for (const { response, isListed } of watches) if (isListed(path)) response.write(line);
  }

  function set(path: string, object: object): void {
    const type = objects.has(path) ? 'MODIFIED' : 'ADDED';
    objects.set(path, object);
    change(type, path, object);
  }

  function remove(path: string): void {
    const object = objects.get(path);
    objects.delete(path);
    if (object) change('DELETED', path, object);
  }

  const findPodPath = (name: string) => [...objects.keys()].find((path) => path.endsWith(`/pods/${name}`));

  const endPortForwards = addPortForward(server, {
    ports,
    hasPod: (name) => findPodPath(name) !== undefined,
    onRequest(request) {
      requests.push(`${request.method} ${request.url}`);
      return !isDown;
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });

  return {
    ...logs.controls,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** The objects by path. */
    objects: objects as ReadonlyMap<string, object>,
    /** Method and URL of each request, in order. */
    requests: requests as readonly string[],
    /** Ports on 127.0.0.1 that stand for the pods' ports, by pod. */
    ports,
    /** Creates or replaces the object at this path. */
    set,
    /** Makes these the only objects; each has a kind and a name. */
    setObjects(all: readonly object[]): void {
      for (const path of [...objects.keys()]) remove(path);
      for (const object of all) set(toPath(object as ApiObject), object);
    },
    setPod: (pod: Pod) => set(toPath({ ...pod, kind: 'Pod' }), pod),
    removePod(name: string): void {
      const path = findPodPath(name);
      if (path !== undefined) remove(path);
    },
    /** Closes all connections; while down, new ones are closed as well. */
    setDown(down: boolean): void {
      isDown = down;
      if (!down) return;
      server.closeAllConnections();
      endPortForwards();
    },
  };
}

function hasLabel(object: object, label: string): boolean {
  const { metadata } = object as { readonly metadata?: { readonly labels?: Record<string, string> } };
  const [key = '', value] = label.split('=');
  return metadata?.labels?.[key] === value;
}

/** Like server-side apply: defaults are added, and keys of `data` that have another field manager are preserved. */
function applyTo(before: object, applied: object): object {
  const { metadata, data: appliedData } = applied as { readonly metadata?: object; readonly data?: object };
  const { data: previousData } = before as { readonly data?: object };
  const data = previousData || appliedData ? { data: { ...previousData, ...appliedData } } : {};
  return {
    ...{ ...before, ...applied, ...data },
    metadata: { ...metadata, resourceVersion: '99', managedFields: [] },
  };
}
