import { createHash } from 'node:crypto';
import { readFileSync, watch } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname } from 'node:path';
import { type BuildInfo, buildInfo } from './build-info.ts';
import type { Dependencies } from './dependency.ts';
import { describeError } from './describe-error.ts';
import { RestartRequired } from './restart-required.ts';
import { type HttpRoute, json } from './route.ts';
import type { ServiceDefinition } from './service.ts';

type Definition = ServiceDefinition<Dependencies>;

/** Replaces the running program with another version. @throws {Error} when that is impossible. */
export type ReplaceProgram = (definition: Definition, build: BuildInfo) => void;

/** Key of the global under which the running program registers itself, for versions that are loaded later. */
const runningKey = Symbol.for('wealist.local/running');
const processGlobals = globalThis as { [runningKey]?: ReplaceProgram };

/** Replaces the program that runs in this process; false when none runs yet. */
export function replaceRunning<D extends Dependencies>(definition: ServiceDefinition<D>): boolean {
  processGlobals[runningKey]?.(definition as unknown as Definition, buildInfo);
  return processGlobals[runningKey] !== undefined;
}

export interface Program {
  /** Reports the digest of the program that was loaded last, and why it was rejected. */
  readonly route: HttpRoute;
  /** From now on, loads the file when it has changed, and replaces the program with it. */
  replaceOnChange(replace: ReplaceProgram): void;
}

/** Milliseconds after the last change event until the file is read. */
const settleDelay = 5;

/**
 * The file of this process. `reload --watch` replaces it with another version; the process, its port and its
 * connections are preserved.
 */
export function openProgram(file: string): Program {
  let loadedDigest = digestOf(file);
  let refused: { readonly refused: string; readonly startsAnew: boolean } | undefined;

  function load(): void {
    const digest = digestOf(file);
    if (digest === loadedDigest) return;
    refused = undefined;
    try {
      const require = createRequire(file);
      delete require.cache[file];
      require(file);
    } catch (error) {
      // The running version continues: the user will fix the mistake and save again.
      refused = { refused: describeError(error), startsAnew: error instanceof RestartRequired };
    }
    loadedDigest = digest;
  }

  return {
    route: {
      method: 'GET',
      path: '/health/program',
      quiet: true,
      handle: () => json({ program: loadedDigest, ...refused }),
    },
    replaceOnChange(replace) {
      processGlobals[runningKey] = replace;
      let timer: NodeJS.Timeout | undefined;
      // Watches the folder, because the file is replaced and not written.
      watch(dirname(file), (_, name) => {
        if (name !== basename(file)) return;
        clearTimeout(timer);
        timer = setTimeout(load, settleDelay);
      }).unref();
    },
  };
}

/** 64 hexadecimal digits; empty while the file does not exist. */
function digestOf(file: string): string {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch {
    return '';
  }
}
