import { setTimeout as sleep } from 'node:timers/promises';
import type { ServicePlace } from '../diagnosis/service-snapshot.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { ApiFailure, type ApiReader } from '../tools/kubernetes/api-server.ts';

/** What a stand-in reports of the file that it runs (services/common/program.ts). */
interface ProgramState {
  /** Hash of the file that it loaded last. */
  readonly program: string;
  readonly refused?: string;
  /** Refused because the change needs a new process. */
  readonly startsAnew?: boolean;
}

/** Milliseconds in which a program must report that it has loaded the new file, and between requests for that. */
const loadTimeout = 5_000;
const loadInterval = 5;

/**
 * Waits until a stand-in's program has loaded the file with this hash. False when the program must be restarted for the
 * change. @throws {Failure} exit code 7 when it cannot be loaded at all.
 */
export async function waitUntilLoaded(
  api: ApiReader,
  {
    place,
    port,
    pod,
    version,
  }: {
    readonly place: ServicePlace;
    readonly port: number;
    readonly pod: string;
    readonly version: string;
  },
  signal: AbortSignal,
): Promise<boolean> {
  const path = `/api/v1/namespaces/${place.namespace}/pods/${pod}:${port}/proxy/health/program`;
  const end = performance.now() + loadTimeout;
  while (performance.now() < end) {
    const said = await api.get<ProgramState>(path, signal).catch((error) => {
      // A program that is loading may respond late, and an older one does not have this path.
      if (error instanceof ApiFailure) return undefined;
      throw error;
    });
    if (said?.program === version) {
      if (said.refused === undefined) return true;
      if (said.startsAnew) return false;
      throw new Failure(`${place.name} cannot load the saved files and keeps running the previous ones`, {
        cause: said.refused,
        exitCode: exitCodes.image,
      });
    }
    await sleep(loadInterval, undefined, { signal });
  }
  return false;
}
