import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { makeTemporaryFolder } from '../temporary-folder.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Responses by method and path, such as `GET /info`: a value that is sent as JSON, or a request handler. */
export type Routes = Readonly<
  Record<string, Handler | Readonly<Record<string, unknown>> | readonly unknown[]>
>;

/** Responses of Docker 20.10 on Debian, reduced to the fields that are used. */
export const docker = {
  version: {
    Version: '20.10.24+dfsg1',
    ApiVersion: '1.41',
    Arch: 'amd64',
    Components: [{ Name: 'Engine' }, { Name: 'containerd' }],
  },
  info: {
    ID: 'CYBK:A5RL',
    Driver: 'overlay2',
    DriverStatus: [['Backing Filesystem', 'extfs']],
    DockerRootDir: '/var/lib/docker',
    CgroupVersion: '1',
    SecurityOptions: ['name=seccomp,profile=default'],
    OperatingSystem: 'Debian GNU/Linux 12 (bookworm)',
    NCPU: 2,
    MemTotal: 25_276_510_208,
    KernelVersion: '6.1.0-40-amd64',
  },
  bridge: { Options: { 'com.docker.network.driver.mtu': '1400' } },
} as const;

export const dockerRoutes: Routes = {
  'GET /version': docker.version,
  'GET /info': docker.info,
  'GET /networks/bridge': docker.bridge,
};

/** Starts a container engine on its own socket until the test ends. Resolves to the path of the socket. */
export async function startEngine(routes: Routes = dockerRoutes, path?: string): Promise<string> {
  const socket = path ?? join(await makeTemporaryFolder(), 'docker.sock');
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    const handler = routes[`${request.method} ${path}`];
    if (typeof handler === 'function') handler(request, response);
    else if (handler === undefined) sendJson(response, 404, { message: `page not found: ${path}` });
    else sendJson(response, 200, handler);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return socket;
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
