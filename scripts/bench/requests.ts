import { Agent, get, request } from 'node:http';

/** Milliseconds of each of `count` requests in turn, over one connection that is kept alive, or each over a new one. */
export async function timeRequests(
  url: string,
  count: number,
  connection: 'kept alive' | 'new',
): Promise<readonly number[]> {
  const keptAlive = new Agent({ keepAlive: true, maxSockets: 1 });
  const agent = connection === 'kept alive' ? keptAlive : false;
  const values: number[] = [];
  await getOnce(url, agent);
  for (let each = 0; each < count; each += 1) {
    const start = performance.now();
    await getOnce(url, agent);
    values.push(performance.now() - start);
  }
  keptAlive.destroy();
  return values;
}

/** Sends a GET and reads its response. Resolves to the number of bytes. @throws {Error} for another status than 200. */
export function getOnce(url: string, agent: Agent | false = false): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let bytes = 0;
      response.on('data', (chunk) => {
        bytes += chunk.length;
      });
      response.once('end', () =>
        response.statusCode === 200 ? resolve(bytes) : reject(new Error(`status ${response.statusCode}`)),
      );
    }).once('error', reject);
  });
}

/** Sends a body and reads the response. @throws {Error} for another status than 200. */
export function postOnce(url: string, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent: false }, (response) => {
      response.resume().once('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    sent.once('error', reject).end(body);
  });
}
