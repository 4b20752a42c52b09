/** What a program is built for, in the words of Go and Docker. */
export interface Platform {
  /** `linux`, `darwin` */
  readonly os: string;
  /** `amd64`, `arm64` */
  readonly architecture: string;
}

/** This machine's: for the programs that run beside this one. Images are for the engine's architecture, and for Linux. */
export function ownPlatform(): Platform {
  return { os: process.platform, architecture: process.arch === 'x64' ? 'amd64' : process.arch };
}
