import { performServerHandshake, type ServerHttp2Session } from 'node:http2';
import type { Duplex } from 'node:stream';

/** gRPC's status for a service that cannot be reached at the moment, which its clients may retry. */
const grpcUnavailable = '14';

/**
 * Responds to the first request of an HTTP/2 connection, and to others that come with it, with 503 and the reason; to
 * gRPC with its own status UNAVAILABLE. Resolves when they are answered.
 */
export async function sendHttp2Error(connection: Duplex, reason: string): Promise<void> {
  const session: ServerHttp2Session = performServerHandshake(connection);
  session.on('error', () => {});
  await new Promise<void>((resolve) => {
    session.on('close', resolve);
    session.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      stream.on('close', () => session.close());
      const isGrpc = String(headers['content-type'] ?? '').startsWith('application/grpc');
      if (isGrpc) {
        const status = { 'grpc-status': grpcUnavailable, 'grpc-message': encodeURIComponent(reason) };
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc', ...status },
          { endStream: true },
        );
      } else {
        stream.respond({ ':status': 503, 'content-type': 'text/plain; charset=utf-8', 'retry-after': '5' });
        stream.end(`${reason}\n`);
      }
    });
  });
}
