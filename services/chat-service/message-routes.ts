import { isHttpError } from '../common/http-error.ts';
import type { Identify } from '../common/identity.ts';
import type { Log } from '../common/log.ts';
import type { Redis } from '../common/redis.ts';
import { parseObject, readJson, toId, toText } from '../common/request-body.ts';
import { json, type Route } from '../common/route.ts';
import type { Row, Rows } from '../common/rows.ts';
import { sendJson, socketRoute } from '../common/sockets.ts';

export interface MessageRoutesOptions {
  readonly path: string;
  readonly messages: Rows;
  readonly redis: Redis;
  readonly identify: Identify;
  readonly log: Log;
  readonly stopping: AbortSignal;
}

/** Chat messages: stored in PostgreSQL and published through Redis to the clients of all replicas. */
export function messageRoutes({
  path,
  messages,
  redis,
  identify,
  log,
  stopping,
}: MessageRoutesOptions): Route[] {
  const toChannel = (chat: number) => `chat:${chat}`;

  async function addMessage(
    chat: number,
    fields: Readonly<Record<string, unknown>>,
    author: string | null,
  ): Promise<Row> {
    const message = await messages.add({ text: toText(fields, 'text'), parent: chat, author });
    await redis.publish(toChannel(chat), JSON.stringify(message));
    return message;
  }

  return [
    {
      method: 'GET',
      path: `${path}/:id/messages`,
      handle: async ({ params }) => json({ rows: await messages.latest(toId(params.id)) }),
    },
    {
      method: 'POST',
      path: `${path}/:id/messages`,
      async handle(request) {
        const author = identify(request)?.sub ?? null;
        return json(await addMessage(toId(request.params.id), await readJson(request), author), 201);
      },
    },
    socketRoute({
      path: `${path}/ws/:id`,
      stopping,
      authorize(request) {
        identify(request);
        toId(request.params.id);
      },
      open(socket, request) {
        const chat = toId(request.params.id);
        const author = identify(request)?.sub ?? null;
        const unsubscribe = redis.subscribe(toChannel(chat), (message) =>
          sendJson(socket, { type: 'message', message: JSON.parse(message) }),
        );
        socket.on('close', unsubscribe);
        socket.on('message', async (data) => {
          try {
            await addMessage(chat, parseObject(String(data)), author);
          } catch (error) {
            const isExpected = isHttpError(error);
            if (!isExpected) log.error('bug', { stack: error instanceof Error ? error.stack : error });
            sendJson(socket, { type: 'error', error: isExpected ? error.message : 'internal error' });
          }
        });
        sendJson(socket, { type: 'joined', chat });
      },
    }),
  ];
}
