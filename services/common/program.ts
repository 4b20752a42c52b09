import { createHash } from 'node:crypto';
import { readFileSync, watch } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname } from 'node:path';
import { type BuildInfo, buildInfo } from './build-info.ts';
import type { Dependencies } from './dependency.ts';
import { describeError } from './describe-error.ts';
import { type HttpRoute, json } from './route.ts';
import type { ServiceDefinition } from './service.ts';
import { StartAnew } from './start-anew.ts';

type Definition = ServiceDefinition<Dependencies>;

/** Takes over what a program that is loaded into this process would run. @throws {Error} when it cannot. */
export type TakeOver = (definition: Definition, build: BuildInfo) => void;

/** Where a program that is loaded into a process finds that one is running there already. */
const place = Symbol.for('wealist.local/running');
const here = globalThis as { [place]?: TakeOver };

/** Hands the definition to the program that runs in this process; false when there is none, and this is the first. */
export function handOver<D extends Dependencies>(definition: ServiceDefinition<D>): boolean {
  here[place]?.(definition as unknown as Definition, buildInfo);
  return here[place] !== undefined;
}

export interface Program {
  /** Says which program was loaded last, and why it was refused. */
  readonly route: HttpRoute;
  /** From now on a changed file is loaded, and what it would run taken over. */
  follow(takeOver: TakeOver): void;
}

/** Milliseconds after which a file that has changed is complete. */
const settle = 5;

/**
 * The file that this process runs. `reload --watch` puts another one in its place, and the process, its port and its
 * connections stay.
 */
export function openProgram(file: string): Program {
  let loaded = digestOf(file);
  let refused: { readonly refused: string; readonly startsAnew: boolean } | undefined;

  function load(): void {
    const digest = digestOf(file);
    if (digest === loaded) return;
    refused = undefined;
    try {
      const require = createRequire(file);
      delete require.cache[file];
      require(file);
    } catch (error) {
      // What ran goes on running: it is a mistake of somebody who is about to save again.
      refused = { refused: describeError(error), startsAnew: error instanceof StartAnew };
    }
    loaded = digest;
  }

  return {
    route: {
      method: 'GET',
      path: '/health/program',
      quiet: true,
      handle: () => json({ program: loaded, ...refused }),
    },
    follow(takeOver) {
      here[place] = takeOver;
      let timer: NodeJS.Timeout | undefined;
      // Of the folder: another file takes the place of this one.
      watch(dirname(file), (_, name) => {
        if (name !== basename(file)) return;
        clearTimeout(timer);
        timer = setTimeout(load, settle);
      }).unref();
    },
  };
}

/** 64 hexadecimal digits; empty while there is no such file. */
function digestOf(file: string): string {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch {
    return '';
  }
}
