import { request } from 'node:http';
import { withDeadline } from '../../lib/deadline.ts';
import { exitCodes, Failure } from '../../lib/failure.ts';

/** Milliseconds for the response of the node. */
const timeout = 5_000;

interface NodeQuery {
  /** Path of the engine's socket. */
  readonly socket: string;
  /** Name of the node. */
  readonly node: string;
  readonly signal: AbortSignal;
}

/**
 * The names of all images on a node, through the engine's socket, since the docker program and the libraries that run
 * programs take tenths of a second to start.
 * @throws {Failure} when the engine or the node does not respond.
 */
export async function listImageNames({ socket, node, signal }: NodeQuery): Promise<ReadonlySet<string>> {
  const argv = ['ctr', '--namespace=k8s.io', 'images', 'list', '--quiet'];
  try {
    return await withDeadline({ timeout, signal }, async (limited) => {
      // With a terminal the output is plain text; without one it is split into frames.
      const command = { Cmd: argv, AttachStdout: true, Tty: true };
      const created = await post(socket, `/containers/${encodeURIComponent(node)}/exec`, command, limited);
      const { Id: id } = JSON.parse(created) as { readonly Id: string };
      const text = await post(socket, `/exec/${id}/start`, { Detach: false, Tty: true }, limited);
      return new Set(text.split(/\r?\n/).filter((line) => line !== ''));
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw new Failure(`node ${node} does not list its images`, {
      cause,
      exitCode: exitCodes.cluster,
    });
  }
}

function post(socketPath: string, path: string, body: object, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'docker', 'content-type': 'application/json' };
    request({ socketPath, path, method: 'POST', headers, signal, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () => {
        if ((response.statusCode ?? 0) < 300) resolve(text);
        else reject(new Error(`${path} responded with status ${response.statusCode}: ${text.trim()}`));
      });
    })
      .on('error', reject)
      .end(JSON.stringify(body));
  });
}
