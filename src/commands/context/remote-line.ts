/** What a person can go on with where nothing is written: a line that reads, in the same environment. */
export function toRemoteLine(line: string | undefined, environment: string): string | undefined {
  return line?.startsWith('npm run logs ') ? `${line} --env ${environment}` : undefined;
}
