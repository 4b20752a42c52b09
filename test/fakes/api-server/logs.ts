import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LogLine } from '../../../src/logs/log-line.ts';
import { sendStatus } from './respond.ts';

/** The log of one run of a container. */
interface Run {
  readonly lines: LogLine[];
  /** Number of lines that the node has rotated away. */
  rotated: number;
  hasEnded: boolean;
}

export interface LogRequest {
  readonly pod: string;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** The containers' logs of a fake API server, which requests with `follow` continue to receive. */
export function createLogs() {
  const runs = new Map<string, Run[]>();
  /** Called when a log was written to or has ended. */
  const followers = new Set<() => void>();
  let isStuck = false;

  const runsOf = (pod: string, container: string) => {
    const key = `${pod}/${container}`;
    const list = runs.get(key) ?? [];
    runs.set(key, list);
    return list;
  };
  const notifyFollowers = () => {
    for (const follow of [...followers]) follow();
  };

  function send({ pod, query, request, response }: LogRequest): void {
    const run = runs.get(`${pod}/${query.get('container')}`)?.at(query.has('previous') ? -2 : -1);
    if (!run) {
      sendStatus(response, 400, 'container is waiting to start');
      return;
    }
    // The kubelet also compares with a resolution of one second.
    const since = query.get('sinceTime')?.slice(0, 19) ?? '';
    const isSelected = ({ time }: LogLine) => time.slice(0, 19) >= since;
    const existing = run.lines.slice(run.rotated).filter(isSelected);
    const tail = Number(query.get('tailLines') ?? existing.length);
    let next = run.lines.length;
    response.writeHead(200);
    response.flushHeaders();
    for (const line of existing.slice(Math.max(0, existing.length - tail))) write(line);
    if (!query.has('follow') || run.hasEnded) {
      response.end();
      return;
    }
    followers.add(follow);
    request.socket.on('close', () => followers.delete(follow));

    function follow(): void {
      if (isStuck) return;
      for (const line of run?.lines.slice(next).filter(isSelected) ?? []) write(line);
      next = run?.lines.length ?? next;
      if (!run?.hasEnded) return;
      followers.delete(follow);
      response.end();
    }
    function write({ time, text }: LogLine): void {
      response.write(`${time} ${text}\n`);
    }
  }

  return {
    send,
    controls: {
      /** Starts the container's next run, with an empty log. */
      startRun: (pod: string, container: string) =>
        void runsOf(pod, container).push({ lines: [], rotated: 0, hasEnded: false }),
      writeLog(pod: string, container: string, ...lines: readonly LogLine[]): void {
        runsOf(pod, container)
          .at(-1)
          ?.lines.push(...lines);
        notifyFollowers();
      },
      /** Removes the lines written so far; open requests still get all lines. */
      rotateLog(pod: string, container: string): void {
        const run = runsOf(pod, container).at(-1);
        if (run) run.rotated = run.lines.length;
      },
      /** Removes all runs but the newest. */
      forgetRuns: (pod: string, container: string) =>
        void runsOf(pod, container).splice(0, runsOf(pod, container).length - 1),
      /** While stuck, followed logs send no new lines. */
      setStuck(stuck: boolean): void {
        isStuck = stuck;
      },
      endRun(pod: string, container: string): void {
        const run = runsOf(pod, container).at(-1);
        if (run) run.hasEnded = true;
        notifyFollowers();
      },
    },
  };
}
