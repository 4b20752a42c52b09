import { isDiskFull } from './container-finding.ts';
import { repair } from './service-finding.ts';

/** What a program may have to do with, and where it finds it. */
export interface Neighbour {
  readonly name: string;
  /** Host names, addresses, and either with the port: `postgres`, `10.96.1.2`, `10.96.1.2:5432`. */
  readonly addresses: readonly string[];
}

/** What a program's log says of why it does not get on. */
export interface Clue {
  /** A neighbour's name, `dns` or `disk`. */
  readonly about: string;
  /** Such as `database board does not exist`. */
  readonly line: string;
  /** The log's own words. */
  readonly evidence: string;
  /** The command to go on with, where there is a better one than the neighbour's log. */
  readonly next?: string;
}

interface Pattern {
  /** Undefined: the neighbour whose address is in the first group. */
  readonly about?: string;
  readonly pattern: RegExp;
  /** `who`: the neighbour. `what`: the first group. */
  toLine(who: string, what: string): string;
  readonly next?: string;
}

/** What clients of PostgreSQL, Redis and S3 say in every language, since it is the servers' own words; and what systems say. */
const patterns: readonly Pattern[] = [
  {
    about: 'postgres',
    pattern: /database "([^"]+)" does not exist/,
    toLine: (who, what) => `database ${what} does not exist in ${who}`,
    next: repair,
  },
  {
    about: 'postgres',
    pattern: /password authentication failed for user "([^"]+)"/,
    toLine: (who, what) => `${who} refuses the password of role ${what}`,
    next: repair,
  },
  {
    about: 'postgres',
    pattern: /role "([^"]+)" (?:does not exist|is not permitted to log in)/,
    toLine: (who, what) => `${who} lets no role ${what} in`,
    next: repair,
  },
  {
    about: 'postgres',
    pattern: /no pg_hba\.conf entry for host "[^"]*", user "([^"]+)"/,
    toLine: (who, what) => `${who} does not let role ${what} in`,
  },
  {
    about: 'postgres',
    pattern: /permission denied for ((?:database|schema|table) "?[\w-]+)/,
    toLine: (who, what) => `${who} does not let it use ${what.replace('"', '')}`,
    next: repair,
  },
  {
    about: 'postgres',
    pattern: /(too many clients already|remaining connection slots are reserved)/,
    toLine: (who) => `${who} has no connection left`,
  },
  {
    about: 'postgres',
    pattern:
      /the database system is (starting up|shutting down|in recovery mode|not yet accepting connections)/,
    toLine: (who, what) => `${who} is ${what}`,
  },
  {
    about: 'redis',
    pattern: /(WRONGPASS|NOAUTH|invalid username-password pair|called without any password configured)/,
    toLine: (who) => `${who} refuses the password`,
    next: repair,
  },
  { about: 'redis', pattern: /(MISCONF)/, toLine: (who) => `${who} cannot write its data` },
  {
    about: 's3',
    pattern: /(InvalidAccessKeyId|SignatureDoesNotMatch)/,
    toLine: (who) => `${who} refuses the access key`,
    next: repair,
  },
  {
    about: 's3',
    pattern: /(?:no bucket ([\w.-]+)|NoSuchBucket)/,
    toLine: (who, what) => `${who} has no bucket${what && ` ${what}`}`,
    next: repair,
  },
  {
    about: 'dns',
    pattern:
      /(?:getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|UnknownHostException:|\blookup|could not translate host name|Failed to resolve) "?([\w.-]+)/,
    toLine: (_, what) => `name ${what} cannot be resolved`,
  },
  {
    pattern: /(?:ECONNREFUSED|\bdial tcp|Connection to) ([\w.-]+:\d+)(?=$|[^\d].*refused|\W*$)/,
    toLine: (who) => `${who} refuses connections`,
  },
  {
    pattern: /(?:ETIMEDOUT|EHOSTUNREACH|\bdial tcp) ([\w.-]+:\d+)/,
    toLine: (who) => `${who} does not answer`,
  },
];

/** What the stand-ins say of each thing they need, when that changes. */
const down = /^([\w-]+) is down: (.*)$/;
const up = /^([\w-]+) is up$/;

/** What the newest lines of a log say, one clue about each neighbour at most, the newest first. */
export function findClues(log: string, neighbours: readonly Neighbour[]): readonly Clue[] {
  const clues = new Map<string, Clue>();
  const healed = new Set<string>();
  for (const line of log.split('\n').reverse()) {
    const message = toMessage(line);
    const [, recovered] = up.exec(message) ?? [];
    if (recovered !== undefined && !clues.has(recovered)) healed.add(recovered);
    const clue = findClue(message, neighbours);
    if (clue && !clues.has(clue.about) && !healed.has(clue.about)) clues.set(clue.about, clue);
  }
  return [...clues.values()];
}

function findClue(message: string, neighbours: readonly Neighbour[]): Clue | undefined {
  if (isDiskFull(message)) {
    return { about: 'disk', line: 'its disk is full', evidence: message, next: 'npm run doctor' };
  }
  const [, name, reason = message] = down.exec(message) ?? [];
  const named = neighbours.find((each) => each.name === name);
  for (const { about, pattern, toLine, next } of patterns) {
    const [matched, what = ''] = pattern.exec(reason) ?? [];
    if (matched === undefined) continue;
    const who = about ?? named?.name ?? findByAddress(neighbours, what)?.name;
    if (who === undefined) continue;
    return {
      about: who,
      line: toLine(who, what),
      evidence: message,
      ...(next === undefined ? {} : { next }),
    };
  }
  if (!named) return undefined;
  const isSilent = /no answer|time.?out|terminated/i.test(reason);
  const line = isSilent ? `${named.name} does not answer` : `${named.name} cannot be used`;
  return { about: named.name, line, evidence: message };
}

function findByAddress(neighbours: readonly Neighbour[], address: string): Neighbour | undefined {
  const [host = ''] = address.split(':');
  return (
    neighbours.find(({ addresses }) => addresses.includes(address)) ??
    neighbours.find(({ addresses }) => addresses.includes(host))
  );
}

/** The message of a line of JSON, else the line. */
function toMessage(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const { message, msg, error } = JSON.parse(line);
    return [message ?? msg, error].filter((text) => typeof text === 'string').join(': ') || line;
  } catch {
    return line;
  }
}
