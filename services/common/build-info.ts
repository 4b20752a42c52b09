declare const WEALIST_NAME: string;
declare const WEALIST_VERSION: string;
declare const WEALIST_SOURCE_HASH: string;

export interface BuildInfo {
  readonly name: string | undefined;
  readonly version: string;
  readonly sourceHash: string;
}

/**
 * What the bundler wrote into the program (src/images/build/bundle.ts); absent when it runs from its sources.
 * `typeof` because the names do not exist at all there.
 */
export const buildInfo: BuildInfo = {
  name: typeof WEALIST_NAME === 'string' ? WEALIST_NAME : undefined,
  version: typeof WEALIST_VERSION === 'string' ? WEALIST_VERSION : 'development',
  sourceHash: typeof WEALIST_SOURCE_HASH === 'string' ? WEALIST_SOURCE_HASH : 'unbundled',
};
