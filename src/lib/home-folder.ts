import { homedir, userInfo } from 'node:os';
import { isAbsolute } from 'node:path';

/** This user's home folder, always absolute: `HOME`, or the account's own where `HOME` is empty or relative. */
export function findHome(): string {
  const home = homedir();
  return isAbsolute(home) ? home : userInfo().homedir;
}
