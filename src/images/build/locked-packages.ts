interface LockFile {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly version?: string;
        readonly integrity?: string;
        readonly dependencies?: Readonly<Record<string, string>>;
        readonly optionalDependencies?: Readonly<Record<string, string>>;
      }
    >
  >;
}

/**
 * One line for each named package and all that they need, with the version and the content's hash that
 * package-lock.json holds: what ends up in a bundle of them, without looking into node_modules.
 */
export function describeLockedPackages(lockFile: string, names: readonly string[]): readonly string[] {
  const { packages } = JSON.parse(lockFile) as LockFile;
  const found = new Set<string>();

  function add(name: string, from: string): void {
    const path = resolve(name, from);
    if (path === undefined || found.has(path)) return;
    found.add(path);
    const { dependencies, optionalDependencies } = packages[path] ?? {};
    for (const needed of Object.keys({ ...dependencies, ...optionalDependencies })) add(needed, path);
  }

  /** As Node looks a package up: in the folder of who asks, then further and further out. */
  function resolve(name: string, from: string): string | undefined {
    for (let folder = from; ; folder = folder.replace(/\/?node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
      const path = `${folder}${folder === '' ? '' : '/'}node_modules/${name}`;
      if (packages[path] !== undefined) return path;
      if (folder === '') return undefined;
    }
  }

  for (const name of names) add(name, '');
  return [...found]
    .sort()
    .map((path) => `${path} ${packages[path]?.version} ${packages[path]?.integrity ?? 'without integrity'}`);
}
