import { readFile } from 'node:fs/promises';
import { request as send } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parse } from 'yaml';
import type { Checkout } from './checkout.ts';

export interface Reply {
  readonly status: number;
  readonly body: string;
}

export interface RequestOptions {
  readonly method?: string;
  readonly body?: string;
  /** Host header, for names that this machine cannot resolve. */
  readonly host?: string;
}

/** Sends a request to 127.0.0.1 with the unmodified path. */
export async function request(url: string, options: RequestOptions = {}): Promise<Reply> {
  const { method = 'GET', body } = options;
  const [, name = '', port = '80', path = '/'] = /^http:\/\/([^/:]+)(?::(\d+))?(\/.*)?$/.exec(url) ?? [];
  const host = `${options.host ?? name}${port === '80' ? '' : `:${port}`}`;
  return new Promise((resolve, reject) => {
    const headers = { host, ...(body?.startsWith('{') ? { 'content-type': 'application/json' } : {}) };
    const sent = send({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    sent.setTimeout(20_000, () => sent.destroy(new Error(`${method} ${url}: no answer in 20 s`)));
    sent.once('error', reject).end(body);
  });
}

/** Sends and receives JSON. @throws {Error} when the request fails. */
export async function requestJson<T>(url: string, send?: object): Promise<T> {
  const options = send && { method: 'POST', body: JSON.stringify(send) };
  const { status, body } = await request(url, options);
  if (status >= 300) throw new Error(`${url}: ${status} ${body}`);
  return JSON.parse(body);
}

/** The services with a route, by name. */
export async function readRoutes({ root }: Checkout): Promise<Readonly<Record<string, string>>> {
  const values = parse(await readFile(join(root, 'helm/charts/wealist-common/values.yaml'), 'utf8'));
  const services: Record<string, { route?: string }> = values.exports.defaults.services;
  return Object.fromEntries(
    Object.entries(services).flatMap(([name, { route }]) => (route ? [[name, route]] : [])),
  );
}
