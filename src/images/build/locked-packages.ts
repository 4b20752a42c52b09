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
 * One line for each named package and each of its dependencies, with version and integrity hash from package-lock.json:
 * it identifies the content of a bundle without reading node_modules.
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

  /** As Node resolves a package: in the importer's own node_modules, then in those of each parent folder. */
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
