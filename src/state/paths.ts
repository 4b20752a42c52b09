import { isAbsolute, join, resolve } from 'node:path';
import { findHome } from '../lib/home-folder.ts';

/** The folders of a checkout and its cluster; all absolute. */
export interface Paths {
  /** The checkout: env/, helm/, images/, services/. */
  readonly checkout: string;
  /** Private to the checkout, mode 0700: kubeconfig, journal, lock, bin/, logs/, secrets. */
  readonly state: string;
  /** Shared by all checkouts of this user, safe to delete: images, binaries, Go's caches. */
  readonly cache: string;
  /** The volumes of every cluster, one folder each: outlives clusters and checkouts. */
  readonly data: string;
}

/**
 * The paths of the checkout that this file belongs to.
 * `WEALIST_STATE_DIR` names another state folder (tests run several side by side); XDG variables as usual.
 */
export function findPaths(env: NodeJS.ProcessEnv = process.env): Paths {
  const checkout = resolve(import.meta.dirname, '../..');
  return {
    checkout,
    state: env.WEALIST_STATE_DIR ? resolve(env.WEALIST_STATE_DIR) : join(checkout, '.wealist'),
    cache: join(toAbsolute(env.XDG_CACHE_HOME) ?? join(findHome(), '.cache'), 'wealist-local'),
    data: join(toAbsolute(env.XDG_DATA_HOME) ?? join(findHome(), '.local/share'), 'wealist-local'),
  };
}

/** A relative path in an XDG variable is invalid and ignored (XDG Base Directory Specification). */
function toAbsolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
