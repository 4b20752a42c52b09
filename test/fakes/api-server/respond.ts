import type { ServerResponse } from 'node:http';

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** Sends an error as the API server does. */
export function sendStatus(response: ServerResponse, status: number, message: string): void {
  sendJson(response, status, { kind: 'Status', message });
}
