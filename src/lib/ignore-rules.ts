/** Says of a path, relative to the folder of the rules and without a slash at its start, whether it is left out. */
export type Ignored = (path: string) => boolean;

export interface IgnoreOptions {
  /** git: a pattern without a slash is meant at any depth. docker: every pattern begins at the folder itself. */
  readonly syntax: 'git' | 'docker';
}

interface Rule {
  readonly pattern: RegExp;
  readonly isException: boolean;
}

/**
 * The rules of a `.gitignore` or `.dockerignore`: the last one that fits a path, or a folder that it is in, decides.
 * As in Docker, and not as in git, `!` brings back what lies in a folder that is left out: a save too many is looked at.
 */
export function parseIgnoreRules(text: string, { syntax }: IgnoreOptions): Ignored {
  const rules = text.split(/\r?\n/).flatMap((line) => parseRule(line, syntax));
  return (path) =>
    rules.reduce((ignored, { pattern, isException }) => (pattern.test(path) ? !isException : ignored), false);
}

function parseRule(line: string, syntax: IgnoreOptions['syntax']): readonly Rule[] {
  const text = line.trim();
  if (text === '' || text.startsWith('#')) return [];
  const isException = text.startsWith('!');
  const glob = text
    .slice(isException ? 1 : 0)
    .replace(/^\.\//, '')
    .replace(/\/+$/, '');
  const anchored = glob.replace(/^\/+/, '');
  if (anchored === '') return [];
  const anyDepth = syntax === 'git' && !glob.includes('/');
  // What fits a folder fits all that is in it.
  return [
    {
      pattern: new RegExp(`^${anyDepth ? '(?:.*/)?' : ''}${toPattern(anchored)}(?:/.*)?$`, 's'),
      isException,
    },
  ];
}

/** `**` stands for any number of folders, `*` and `?` for what has no slash. */
function toPattern(glob: string): string {
  return glob.replace(/\*\*\/|\/\*\*$|\*\*|\*|\?|\[[^\]/]+\]|\\.|[^\w/-]/g, (part) => {
    if (part === '**/') return '(?:.*/)?';
    if (part === '/**') return '/.*';
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    if (part.startsWith('[') && part.length > 1) return part.replace(/^\[!/, '[^').replaceAll('\\', '\\\\');
    return `\\${part.at(-1)}`;
  });
}
