import type { Duplex } from 'node:stream';
import { NotConnected } from '../tools/kubernetes/port-forward.ts';

/** A client's end of a connection, with what was read of it and may have reached nobody. */
export interface HeldClient {
  readonly connection: Duplex;
  /** Undefined once somebody has answered, or it is too much to hold: then there is no second try. */
  held: Buffer[] | undefined;
  hasEnded: boolean;
}

/** Who answers a client. */
export interface Answerer {
  readonly stream: Duplex;
  /** Resolves when it has begun to end, and answers only what it was asked before. Never rejects. */
  readonly ending: Promise<void>;
}

/** Bytes of a client that are held until the other side has said something. */
const mostHeld = 64 * 1024;

/** Milliseconds without a word after which a client that has said all is taken to have heard all. */
const linger = 1_000;

/** The same after the last answer of who is ending: what is asked next shall be asked of another one. */
const pauseAfterAnswer = 100;

/**
 * Lets the two talk until one of them has gone, or has begun to end and answered all. Resolves to false when nobody
 * took the connection and none of the client's bytes were delivered: then it may be given to somebody else.
 */
export function splice(
  client: HeldClient,
  { stream: upstream, ending }: Answerer,
  onAnswer: () => void,
): Promise<boolean> {
  const { connection } = client;
  return new Promise((resolve) => {
    let quiet: NodeJS.Timeout | undefined;
    let isEnding = false;
    /** The client has said something that was not answered. */
    let isAsked = client.held !== undefined && client.held.length > 0;
    let isOver = false;

    function onClientData(chunk: Buffer): void {
      isAsked = true;
      hold(client, chunk);
      if (!upstream.write(chunk)) connection.pause();
      waitForQuiet();
    }
    function onClientEnd(): void {
      client.hasEnded = true;
      waitForQuiet();
    }
    function onUpstreamData(chunk: Buffer): void {
      isAsked = false;
      client.held = undefined;
      onAnswer();
      if (!connection.write(chunk)) upstream.pause();
      waitForQuiet();
    }
    function onUpstreamError(error: Error): void {
      const isUntouched = error instanceof NotConnected && client.held !== undefined;
      if (!isUntouched) connection.destroy();
      end(!isUntouched);
    }

    /** The way into a pod cannot say that no more will come; its programs would wait for ever. */
    function waitForQuiet(): void {
      clearTimeout(quiet);
      if (isOver) return;
      if (isEnding && !isAsked) quiet = setTimeout(() => end(client.held?.length !== 0), pauseAfterAnswer);
      else if (client.hasEnded) quiet = setTimeout(() => end(true), linger);
    }

    const resumeClient = () => connection.resume();
    const resumeUpstream = () => upstream.resume();
    const onGone = () => end(true);

    function end(isDone: boolean): void {
      if (isOver) return;
      isOver = true;
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

    upstream
      .on('error', onUpstreamError)
      .on('data', onUpstreamData)
      .on('end', onGone)
      .on('drain', resumeClient);
    connection
      .on('data', onClientData)
      .on('end', onClientEnd)
      .on('drain', resumeUpstream)
      .on('close', onGone);
    void ending.then(() => {
      isEnding = true;
      waitForQuiet();
    });
    for (const chunk of client.held ?? []) upstream.write(chunk);
    waitForQuiet();
    connection.resume();
  });
}

function hold(client: HeldClient, chunk: Buffer): void {
  if (!client.held) return;
  client.held.push(chunk);
  const size = client.held.reduce((sum, { length }) => sum + length, 0);
  if (size > mostHeld) client.held = undefined;
}
