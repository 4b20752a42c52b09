import { isDiskFull } from './container-finding.ts';
import { repair } from './service-finding.ts';

/** A component that a program may connect to, with its addresses. */
export interface Neighbour {
  readonly name: string;
  /** Host names, addresses, and either with the port: `postgres`, `10.96.1.2`, `10.96.1.2:5432`. */
  readonly addresses: readonly string[];
}

/** A known error message in a program's log. */
export interface Clue {
  /** What the error is about: a neighbour's name or `dns`; `disk`, `migration` or `data` of the component itself. */
  readonly about: string;
  /** Such as `database board does not exist`. */
  readonly line: string;
  /** The message as it was logged. */
  readonly evidence: string;
  /** The command to go on with, where it is not the one that shows the log. */
  readonly next?: string;
  /** There was no response in time, which a host name that is not resolved in time looks like, too. */
  readonly isTimeout?: boolean;
}

interface Pattern {
  /** What the error is about; undefined for the neighbour whose address is the first group. */
  readonly about?: string;
  readonly pattern: RegExp;
  /** `about` is resolved to a name; `match` is the first group. */
  toLine(about: string, match: string): string;
  readonly next?: string;
}

/** What a component's own error is about. */
export const ownFaults: ReadonlySet<string> = new Set(['disk', 'migration', 'data']);

/** Errors of PostgreSQL, Redis and S3, worded by the servers and so the same in every language, and errors of the system and of migrations. */
const patterns: readonly Pattern[] = [
  {
    // golang-migrate, Flyway: a migration that failed in the middle, after which no other one runs.
    about: 'migration',
    pattern: /(?:Dirty database version|failed migration to version) (\d[\w.]*\w|\d)/,
    toLine: (_, version) => `migration to version ${version} failed in the middle`,
    next: 'npm run db -- --list',
  },
  {
    about: 'data',
    pattern: /the data are of PostgreSQL (\d+)/,
    toLine: (_, version) => `the data are of PostgreSQL ${version}, which is not that of the image`,
  },
  {
    about: 'postgres',
    pattern: /database "([^"]+)" does not exist/,
    toLine: (about, name) => `database ${name} does not exist in ${about}`,
    next: repair,
  },
  {
    about: 'postgres',
    pattern: /password authentication failed for user "([^"]+)"/,
    toLine: (about, role) => `${about} rejected the password of role ${role}`,
    next: repair,
  },
  {
    about: 'postgres',
    pattern: /role "([^"]+)" (?:does not exist|is not permitted to log in)/,
    toLine: (about, role) => `role ${role} cannot log in to ${about}`,
    next: repair,
  },
  {
    about: 'postgres',
    pattern: /no pg_hba\.conf entry for host "[^"]*", user "([^"]+)"/,
    toLine: (about, role) => `${about} has no pg_hba.conf entry for role ${role}`,
  },
  {
    about: 'postgres',
    pattern: /permission denied for ((?:database|schema|table) "?[\w-]+)/,
    toLine: (about, object) => `permission denied for ${object.replace('"', '')} in ${about}`,
    next: repair,
  },
  {
    about: 'postgres',
    pattern: /(too many clients already|remaining connection slots are reserved)/,
    toLine: (about) => `${about} has no free connections`,
  },
  {
    about: 'postgres',
    pattern:
      /the database system is (starting up|shutting down|in recovery mode|not yet accepting connections)/,
    toLine: (about, state) => `${about} is ${state}`,
  },
  {
    about: 'redis',
    pattern: /(WRONGPASS|NOAUTH|invalid username-password pair|called without any password configured)/,
    toLine: (about) => `${about} rejected the password`,
    next: repair,
  },
  { about: 'redis', pattern: /(MISCONF)/, toLine: (about) => `${about} cannot write its data to disk` },
  {
    about: 's3',
    pattern: /(InvalidAccessKeyId|SignatureDoesNotMatch)/,
    toLine: (about) => `${about} rejected the access key`,
    next: repair,
  },
  {
    about: 's3',
    pattern: /(?:no bucket ([\w.-]+)|NoSuchBucket)/,
    toLine: (about, bucket) => `${about} has no bucket${bucket && ` ${bucket}`}`,
    next: repair,
  },
  {
    about: 'dns',
    pattern:
      /(?:getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|UnknownHostException:|\blookup|could not translate host name|Failed to resolve) "?([\w.-]+)/,
    toLine: (_, host) => `host name ${host} cannot be resolved`,
  },
  {
    pattern: /(?:ECONNREFUSED|\bdial tcp|Connection to) ([\w.-]+:\d+)(?=$|[^\d].*refused|\W*$)/,
    toLine: (about) => `connection to ${about} refused`,
  },
  {
    pattern: /(?:ETIMEDOUT|EHOSTUNREACH|\bdial tcp) ([\w.-]+:\d+)/,
    toLine: (about) => `${about} does not respond`,
  },
];

/** What the stand-ins log when a component that they need becomes unavailable, or available again. */
const down = /^([\w-]+) is down: (.*)$/;
const up = /^([\w-]+) is up$/;

/** The newest error about each neighbour, the newest of all first; an error that was resolved since is left out. */
export function findClues(log: string, neighbours: readonly Neighbour[]): readonly Clue[] {
  const clues = new Map<string, Clue>();
  const recovered = new Set<string>();
  for (const line of log.split('\n').reverse()) {
    const message = toMessage(line);
    const [, name] = up.exec(message) ?? [];
    if (name !== undefined && !clues.has(name)) recovered.add(name);
    const clue = findClue(message, neighbours);
    if (clue && !clues.has(clue.about) && !recovered.has(clue.about)) clues.set(clue.about, clue);
  }
  return [...clues.values()];
}

function findClue(message: string, neighbours: readonly Neighbour[]): Clue | undefined {
  if (isDiskFull(message)) {
    return { about: 'disk', line: 'disk is full', evidence: message, next: 'npm run doctor' };
  }
  const [, name, reason = message] = down.exec(message) ?? [];
  const named = neighbours.find((each) => each.name === name);
  for (const { about, pattern, toLine, next } of patterns) {
    const [matched, match = ''] = pattern.exec(reason) ?? [];
    if (matched === undefined) continue;
    const resolved = about ?? named?.name ?? findByAddress(neighbours, match)?.name;
    if (resolved === undefined) continue;
    return {
      about: resolved,
      line: toLine(resolved, match),
      evidence: message,
      ...(next === undefined ? {} : { next }),
    };
  }
  if (!named) return undefined;
  const isSilent = /no (answer|response)|time.?out|terminated/i.test(reason);
  const line = isSilent ? `${named.name} does not respond` : `${named.name} is unavailable`;
  return { about: named.name, line, evidence: message, ...(isSilent && { isTimeout: true }) };
}

function findByAddress(neighbours: readonly Neighbour[], address: string): Neighbour | undefined {
  const [host = ''] = address.split(':');
  return (
    neighbours.find(({ addresses }) => addresses.includes(address)) ??
    neighbours.find(({ addresses }) => addresses.includes(host))
  );
}

/** The message of a JSON log line, else the whole line. */
function toMessage(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const { message, msg, error } = JSON.parse(line);
    return [message ?? msg, error].filter((text) => typeof text === 'string').join(': ') || line;
  } catch {
    return line;
  }
}
