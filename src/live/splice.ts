import type { Duplex } from 'node:stream';
import { NotConnected } from '../tools/port-forward.ts';

/** A client's end of a connection, with what was read of it and may have reached nobody. */
export interface HeldClient {
  readonly connection: Duplex;
  /** Undefined once that is too much to hold: then there is no second try. */
  held: Buffer[] | undefined;
  hasEnded: boolean;
}

/** Bytes of a client that are held until the other side has said something. */
const mostHeld = 64 * 1024;

/** Milliseconds without a word after which a client that has said all is taken to have heard all. */
const linger = 1_000;

/**
 * Lets the two talk until one of them has gone. Resolves to false when nobody took the connection and none of the
 * client's bytes were delivered: then it may be given to somebody else. `onAnswer` is called with each answer.
 */
export function splice(client: HeldClient, upstream: Duplex, onAnswer: () => void): Promise<boolean> {
  const { connection } = client;
  return new Promise((resolve) => {
    let quiet: NodeJS.Timeout | undefined;

    function onClientData(chunk: Buffer): void {
      hold(client, chunk);
      if (!upstream.write(chunk)) connection.pause();
    }
    function onClientEnd(): void {
      client.hasEnded = true;
      waitForQuiet();
    }
    function onUpstreamData(chunk: Buffer): void {
      client.held = undefined;
      onAnswer();
      if (client.hasEnded) waitForQuiet();
      if (!connection.write(chunk)) upstream.pause();
    }
    /** The way into a pod cannot say that no more will come; its programs would wait for ever. */
    function waitForQuiet(): void {
      clearTimeout(quiet);
      quiet = setTimeout(() => end(true), linger);
    }
    const resumeClient = () => connection.resume();
    const resumeUpstream = () => upstream.resume();
    const onGone = () => end(true);

    function end(isDone: boolean): void {
      clearTimeout(quiet);
      connection
        .off('data', onClientData)
        .off('end', onClientEnd)
        .off('drain', resumeUpstream)
        .off('close', onGone);
      upstream.off('data', onUpstreamData).off('end', onGone).off('drain', resumeClient);
      upstream.destroy();
      if (isDone) connection.end();
      else connection.pause();
      resolve(isDone);
    }

    upstream.on('error', (error) => {
      const isUntouched = error instanceof NotConnected && client.held !== undefined;
      if (!isUntouched) connection.destroy();
      end(!isUntouched);
    });
    upstream.on('data', onUpstreamData).on('end', onGone).on('drain', resumeClient);
    connection
      .on('data', onClientData)
      .on('end', onClientEnd)
      .on('drain', resumeUpstream)
      .on('close', onGone);
    for (const chunk of client.held ?? []) upstream.write(chunk);
    if (client.hasEnded) waitForQuiet();
    connection.resume();
  });
}

function hold(client: HeldClient, chunk: Buffer): void {
  if (!client.held) return;
  client.held.push(chunk);
  const size = client.held.reduce((sum, { length }) => sum + length, 0);
  if (size > mostHeld) client.held = undefined;
}
