/** Docker's and Debian's word for the architecture that this program runs on. */
export function ownArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}
