import type { Duplex } from 'node:stream';
import { breakOff } from '../tools/dial-loopback.ts';
import { NotConnected } from '../tools/kubernetes/port-forward.ts';

/** A client's connection, with the bytes that were read and may not have been delivered. */
export interface BufferedClient {
  readonly connection: Duplex;
  /** Undefined after the first response or above the limit: then the request cannot be retried. */
  buffered: Buffer[] | undefined;
  hasEnded: boolean;
}

/** The connection to the pod. */
export interface UpstreamConnection {
  readonly stream: Duplex;
  /** Whether the end of the client's side can be passed on while the other direction goes on. */
  readonly endsSeparately: boolean;
  /** Resolves when the pod is terminating, after which it must not get new requests. Never rejects. */
  readonly terminating: Promise<void>;
}

/** Bytes of a client that are buffered until the first response. */
const maxBuffered = 64 * 1024;

/**
 * Milliseconds without data after which the connection of a client that has ended its side is closed, where the pod cannot
 * be told of that end.
 */
const idleAfterClientEnd = 1_000;

/**
 * Milliseconds without data after which the connection to a terminating pod is closed, so that the next request goes to
 * another pod.
 */
const idleAfterResponse = 100;

/**
 * Copies data in both directions until both have ended, one side closes, or the pod is terminating and has responded to
 * everything. Resolves to false when the pod did not accept the connection and none of the client's bytes were delivered: then
 * another pod can be tried.
 */
export function relayConnection(
  client: BufferedClient,
  { stream: upstream, endsSeparately, terminating }: UpstreamConnection,
  onResponse: () => void,
): Promise<boolean> {
  const { connection } = client;
  return new Promise((resolve) => {
    let idleTimer: NodeJS.Timeout | undefined;
    let isTerminating = false;
    /** Whether the client has sent data that has no response yet. */
    let isAwaitingResponse = client.buffered !== undefined && client.buffered.length > 0;
    let isFinished = false;
    let hasUpstreamEnded = false;

    function onClientData(chunk: Buffer): void {
      isAwaitingResponse = true;
      buffer(client, chunk);
      if (!upstream.write(chunk)) connection.pause();
      startIdleTimer();
    }
    function onClientEnd(): void {
      client.hasEnded = true;
      if (endsSeparately) upstream.end();
      if (hasUpstreamEnded) finish(true);
      startIdleTimer();
    }
    function onUpstreamEnd(): void {
      hasUpstreamEnded = true;
      if (client.hasEnded || !endsSeparately) finish(true);
      else connection.end();
    }
    function onUpstreamData(chunk: Buffer): void {
      isAwaitingResponse = false;
      client.buffered = undefined;
      onResponse();
      if (!connection.write(chunk)) upstream.pause();
      startIdleTimer();
    }
    function onUpstreamError(error: Error): void {
      const isUndelivered = error instanceof NotConnected && client.buffered !== undefined;
      if (!isUndelivered) connection.destroy();
      finish(!isUndelivered);
    }

    /**
     * A port forward of Kubernetes cannot transmit the end of one direction, so that the pod would wait forever. A timer
     * ends it instead.
     */
    function startIdleTimer(): void {
      clearTimeout(idleTimer);
      if (isFinished) return;
      if (isTerminating && !isAwaitingResponse)
        idleTimer = setTimeout(() => finish(client.buffered?.length !== 0), idleAfterResponse);
      else if (client.hasEnded && !endsSeparately)
        idleTimer = setTimeout(() => finish(true), idleAfterClientEnd);
    }

    const resumeClient = () => connection.resume();
    const resumeUpstream = () => upstream.resume();
    const onClose = () => finish(true);

    function finish(isDone: boolean): void {
      if (isFinished) return;
      isFinished = true;
      clearTimeout(idleTimer);
      connection
        .off('data', onClientData)
        .off('end', onClientEnd)
        .off('drain', resumeUpstream)
        .off('close', onClose);
      upstream
        .off('data', onUpstreamData)
        .off('end', onUpstreamEnd)
        .off('drain', resumeClient)
        .off('close', onClose);
      // After both ends it closes by itself, once it has sent everything.
      if (connection.errored) breakOff(upstream);
      else if (!(endsSeparately && hasUpstreamEnded && client.hasEnded)) upstream.destroy();
      if (isDone) connection.end();
      else connection.pause();
      resolve(isDone);
    }

    upstream
      .on('error', onUpstreamError)
      .on('data', onUpstreamData)
      .on('end', onUpstreamEnd)
      .on('close', onClose)
      .on('drain', resumeClient);
    connection
      .on('data', onClientData)
      .on('end', onClientEnd)
      .on('drain', resumeUpstream)
      .on('close', onClose);
    void terminating.then(() => {
      isTerminating = true;
      startIdleTimer();
    });
    for (const chunk of client.buffered ?? []) upstream.write(chunk);
    if (client.hasEnded && endsSeparately) upstream.end();
    startIdleTimer();
    connection.resume();
  });
}

function buffer(client: BufferedClient, chunk: Buffer): void {
  if (!client.buffered) return;
  client.buffered.push(chunk);
  const size = client.buffered.reduce((sum, { length }) => sum + length, 0);
  if (size > maxBuffered) client.buffered = undefined;
}
