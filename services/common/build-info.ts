declare const WEALIST_NAME: string;
declare const WEALIST_VERSION: string;
declare const WEALIST_SOURCE_HASH: string;

export interface BuildInfo {
  readonly name: string | undefined;
  readonly version: string;
  readonly sourceHash: string;
}

/**
 * Constants that the bundler defines (src/images/build/bundle.ts). They do not exist when the program runs from its
 * sources, hence `typeof`.
 */
export const buildInfo: BuildInfo = {
  name: typeof WEALIST_NAME === 'string' ? WEALIST_NAME : undefined,
  version: typeof WEALIST_VERSION === 'string' ? WEALIST_VERSION : 'development',
  sourceHash: typeof WEALIST_SOURCE_HASH === 'string' ? WEALIST_SOURCE_HASH : 'unbundled',
};
