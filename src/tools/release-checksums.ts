/**
 * SHA-256 of the official releases, by tool, version, system and architecture in Go's names. Written by
 * `node --import tsx scripts/pin-releases.ts` from the checksums that the publishers keep beside the files, and reviewed like
 * any other change: what is downloaded later is compared with these.
 */
export const releaseChecksums: Readonly<Record<string, string>> = {
  'kind 0.33.0 darwin amd64': '5a99f26f57246dc9319dd294803313197a0f34d33c525b3ea8b655db5916ece0',
  'kind 0.33.0 darwin arm64': '0c8c7dbe5e23594a198b786c4bc13dacc101fa6196b0cb0b23a1ca44e61f4b4f',
  'kind 0.33.0 linux amd64': 'aee6151561422756b764a4ae28e7f44cda5af5a9eead3cc9985112b1de8d8e0d',
  'kind 0.33.0 linux arm64': '20022bee6cfcd5086cb7234d218e3454e6090022f2a8f55d1fa7fcf42c3867a2',
  'kubectl 1.34.4 darwin amd64': '9861e775578651d903a779f840ff8e4c0013ae29a1ffc67f05d967262fcf734c',
  'kubectl 1.34.4 darwin arm64': 'd9b239414a5fdf624835bfb62eef28a0885f1645d579f98056a9ab3293f51f87',
  'kubectl 1.34.4 linux amd64': 'd50c359d95e0841eaad08ddc27c7be37cba8fdccfba5c8e2ded65e121ff112db',
  'kubectl 1.34.4 linux arm64': '5b982c0644ab1e27780246b9085a5886651b4a7ed86243acbb2bacc1bea01dda',
  'helm 3.22.0 darwin amd64': 'bd1d09f316558dda23698527859600936fed1371021ce0f2272d66b2fdcfa69c',
  'helm 3.22.0 darwin arm64': '4c9982a6cdeb458b60258df66b55398ca5b19293f6877faffe2909ad6f23dfe0',
  'helm 3.22.0 linux amd64': '1e4ab49e429626cf6c6958d914248b78c9730803c2751b87627e171dc800e7bb',
  'helm 3.22.0 linux arm64': 'f14e804dfee240f55525b667488fe9adca349e63e00c9af634c0beb1421ac310',
};
