const levels = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof levels)[number];

type Fields = Readonly<Record<string, unknown>>;

/** Writes one JSON object per line, for log collectors and `npm run logs`. */
export type Log = Readonly<Record<Level, (message: string, fields?: Fields) => void>>;

/** The log of one service. Lines below `level` are dropped; an unknown level means info. */
export function createLog(
  service: string,
  level: string,
  write: (line: string) => void = (line) => process.stdout.write(line),
): Log {
  const known = levels.indexOf(level.toLowerCase() as Level);
  const lowest = known === -1 ? levels.indexOf('info') : known;
  const writeAt =
    (at: Level) =>
    (message: string, fields: Fields = {}) => {
      if (levels.indexOf(at) < lowest) return;
      write(
        `${JSON.stringify({ time: new Date().toISOString(), level: at, service, message, ...fields })}\n`,
      );
    };
  return {
    debug: writeAt('debug'),
    info: writeAt('info'),
    warn: writeAt('warn'),
    error: writeAt('error'),
  };
}
