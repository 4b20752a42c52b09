import { ownerOnNode } from '../../src/config/kind-cluster.ts';
import type { ContainerState } from '../../src/tools/docker/containers.ts';
import { docker, dockerRoutes, type Routes, sendJson, startEngine } from './engine.ts';

interface NodeOptions {
  /** Name of the cluster. */
  readonly name?: string;
  /** The folder that is mounted as the owner. */
  readonly owner: string;
  readonly httpPort?: number;
  /** `running` by default. */
  readonly state?: ContainerState;
}

/** Starts an engine with this ID and the control planes of these clusters. Resolves to its socket's path. */
export async function startNodeEngine(
  nodes: readonly NodeOptions[],
  { id = docker.info.ID }: { readonly id?: string } = {},
): Promise<string> {
  const containers = nodes.map(({ name = 'wealist', owner, httpPort = 8090, state = 'running' }) => {
    const container = `${name}-control-plane`;
    const Labels = { 'io.x-k8s.kind.cluster': name };
    const ports = { 80: httpPort, 443: httpPort + 1 };
    return {
      listed: {
        ...{ Id: `id-of-${container}`, Names: [`/${container}`], Image: 'node:1', State: state, Labels },
        Ports: Object.entries(ports).map(([port, host]) => {
          return { IP: '127.0.0.1', PublicPort: host, PrivatePort: Number(port), Type: 'tcp' };
        }),
      },
      details: {
        ...{ Id: `id-of-${container}`, Name: `/${container}`, Image: 'sha256:1' },
        Config: { Image: 'node:1', Labels },
        State: { Status: state, ExitCode: 0, Error: '', StartedAt: '' },
        HostConfig: {
          PortBindings: Object.fromEntries(
            Object.entries(ports).map(([port, host]) => [
              `${port}/tcp`,
              [{ HostIp: '', HostPort: `${host}` }],
            ]),
          ),
        },
        NetworkSettings: { Networks: {} },
        Mounts: [{ Source: owner, Destination: ownerOnNode }],
      },
    };
  });
  const removed = new Set<string>();
  const toRoutes = (details: Readonly<Record<string, unknown>> & { readonly Id: string }): Routes => ({
    [`GET /containers/${details.Id}/json`]: (_, response) =>
      removed.has(details.Id) ? sendJson(response, 404, {}) : sendJson(response, 200, details),
    [`DELETE /containers/${details.Id}`]: (_, response) => {
      removed.add(details.Id);
      response.writeHead(204).end();
    },
  });
  return startEngine({
    ...dockerRoutes,
    'GET /info': { ...docker.info, ID: id },
    'GET /containers/json': (request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'http://engine');
      const { label = [] }: { label?: readonly string[] } = JSON.parse(searchParams.get('filters') ?? '{}');
      const found = containers.filter(({ listed }) =>
        label.every((each) =>
          Object.entries(listed.Labels).some(([key, value]) => [key, `${key}=${value}`].includes(each)),
        ),
      );
      const left = found.filter(({ details }) => !removed.has(details.Id));
      sendJson(
        response,
        200,
        left.map(({ listed }) => listed),
      );
    },
    ...Object.assign({}, ...containers.map(({ details }) => toRoutes(details))),
  });
}
