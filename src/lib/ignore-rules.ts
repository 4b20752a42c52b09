import { posix } from 'node:path';

/**
 * Whether a path, relative to the folder of the rules and without a slash at its start, is excluded. `before` is the
 * verdict of rules that these override.
 */
export interface Ignored {
  (path: string, before?: boolean): boolean;
  /** Whether a folder is excluded with all that it may contain, whatever the names. */
  skips(folder: string): boolean;
}

export interface IgnoreOptions {
  /** git: a pattern without a slash matches at any depth. docker: every pattern starts at the folder itself. */
  readonly syntax: 'git' | 'docker';
}

interface Rule {
  readonly tokens: readonly Token[];
  readonly isException: boolean;
}

/** A character, one of a class, or a wildcard. */
type Token = string | RegExp | typeof withinName | typeof folders | typeof anything;
const withinName = Symbol('*');
/** Any number of them, each with the slash after it. */
const folders = Symbol('folders');
const anything = Symbol('**');

/*
 * No library: for a pattern with ten `**` and a deep path, `ignore` 7.0.17 (for .gitignore) and `@balena/dockerignore`
 * 1.0.2 take half a minute and more, and the latter throws on `[z-a]` and `a(b`.
 */

/**
 * The rules of a `.gitignore` or `.dockerignore`: the last one that matches a path, or a folder above it, decides.
 * As in Docker, and not as in git, `!` includes a file of an excluded folder: git's rules only choose what is watched.
 */
export function parseIgnoreRules(text: string, { syntax }: IgnoreOptions): Ignored {
  const rules = text.split(/\r?\n/).flatMap((line) => parseRule(line, syntax));
  const isIgnored = (path: string, before = false) => {
    const characters = [...path];
    return rules.reduce(
      // A rule that would change nothing need not be tested.
      (ignored, { tokens, isException }) =>
        ignored === isException && matches(tokens, characters) ? !isException : ignored,
      before,
    );
  };
  const exceptions = rules.filter(({ isException }) => isException);
  return Object.assign(isIgnored, {
    skips: (folder: string) =>
      isIgnored(folder) && !exceptions.some(({ tokens }) => matches(tokens, [...folder, '/'], 'start')),
  });
}

/** Paths named by patterns such as those of COPY. */
export interface NamedPaths {
  /** Whether a pattern names the path itself. */
  names(path: string): boolean;
  /** Whether a pattern names the path or a folder above it. */
  has(path: string): boolean;
  /** Whether a path below this folder may be named. */
  mayBeBelow(folder: string): boolean;
}

/** The paths that Docker's patterns name; a pattern is relative, and normalised. */
export function toNamedPaths(patterns: readonly string[]): NamedPaths {
  const rules = patterns.map((pattern) => toTokens(pattern, 'docker'));
  const some = (path: readonly string[], extent: Extent) =>
    rules.some((tokens) => matches(tokens, path, extent));
  return {
    names: (path) => some([...path], 'whole'),
    has: (path) => some([...path], 'folder'),
    mayBeBelow: (folder) => some([...folder, '/'], 'start') || some([...folder], 'folder'),
  };
}

function parseRule(line: string, syntax: IgnoreOptions['syntax']): readonly Rule[] {
  const text = line.trim();
  if (text === '' || text.startsWith('#')) return [];
  const isException = text.startsWith('!');
  const pattern = isException ? text.slice(1).trim() : text;
  if (pattern === '') return [];
  const glob = posix.normalize(pattern).replace(/\/$/, '');
  const anchored = glob.replace(/^\//, '');
  if (anchored === '') return [];
  const isAnyDepth = syntax === 'git' && !glob.includes('/');
  const tokens = toTokens(anchored, syntax);
  return [{ tokens: isAnyDepth ? [folders, ...tokens] : tokens, isException }];
}

function toTokens(glob: string, syntax: IgnoreOptions['syntax']): readonly Token[] {
  const parts = glob.match(/\*\*\/|\*\*|\*|\?|\[[^\]]+\]|\\.|./gsu) ?? [];
  // Docker compares the end of the path when a text is all that follows.
  const isEnding = /^\*\*[^*?[\]\\]*$/.test(glob);
  return parts.map((part, at): Token => {
    if (part === '**/') return folders;
    if (part === '**') {
      if (isEnding || at === parts.length - 1) return anything;
      return syntax === 'git' ? withinName : folders;
    }
    if (part === '*') return withinName;
    if (part === '?') return /[^/]/u;
    // To Docker, `[!a]` is one of these two characters.
    if (/^\[.+\]$/su.test(part)) return toClass(syntax === 'git' ? part.replace(/^\[!/, '[^') : part);
    return [...part].at(-1) ?? part;
  });
}

/** An invalid class, such as `[z-a]`, matches nothing; a build reports it. */
function toClass(text: string): RegExp {
  try {
    return new RegExp(text, 'su');
  } catch {
    return /(?!)/;
  }
}

/**
 * What tokens must match of a path. whole: all of it. folder: it, or a folder above it. start: the path is only the
 * start of one that they could match.
 */
type Extent = 'whole' | 'folder' | 'start';

function matches(tokens: readonly Token[], path: readonly string[], extent: Extent = 'folder'): boolean {
  let tried: Set<number> | undefined;

  function matchesFrom(first: number, start: number): boolean {
    let place = start;
    for (let at = first; at < tokens.length; at += 1) {
      const token = tokens[at];
      const character = path[place];
      if (typeof token === 'symbol') {
        // Tried once at each place: the time must not grow with the number of ways to match.
        const key = at * (path.length + 1) + place;
        tried ??= new Set();
        if (tried.has(key)) return false;
        tried.add(key);
        if (matchesFrom(at + 1, place)) return true;
        if (character === undefined) return extent === 'start';
        if (token === folders) {
          const slash = path.indexOf('/', place);
          return slash >= 0 && matchesFrom(at, slash + 1);
        }
        return (token === anything || character !== '/') && matchesFrom(at, place + 1);
      }
      if (character === undefined) return extent === 'start';
      if (typeof token === 'string' ? token !== character : !token?.test(character)) return false;
      place += 1;
    }
    return place === path.length || (extent === 'folder' && path[place] === '/');
  }

  return matchesFrom(0, 0);
}
