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

/** What is said in a chat: kept in PostgreSQL, told through Redis to whoever listens at any replica. */
export function messageRoutes({
  path,
  messages,
  redis,
  identify,
  log,
  stopping,
}: MessageRoutesOptions): Route[] {
  const toChannel = (chat: number) => `chat:${chat}`;

  async function say(
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
        return json(await say(toId(request.params.id), await readJson(request), author), 201);
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
            await say(chat, parseObject(String(data)), author);
          } catch (error) {
            const known = isHttpError(error);
            if (!known) log.error('bug', { stack: error instanceof Error ? error.stack : error });
            sendJson(socket, { type: 'error', error: known ? error.message : 'internal error' });
          }
        });
        sendJson(socket, { type: 'joined', chat });
      },
    }),
  ];
}
