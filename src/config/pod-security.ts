import { type Problem, toPlaceText } from './problems.ts';
import { findAt, type MapTree, overlay, placeOf, type Tree } from './tree.ts';

/** The capabilities that a container may add under `baseline`, as of Kubernetes 1.34. */
const baselineCapabilities = new Set([
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE'],
  ...['SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
]);

/** A setting of a service that `restricted` forbids, and the strictest level that allows it. */
interface Demand {
  readonly path: readonly string[];
  readonly level: 'baseline' | 'privileged';
  readonly what: string;
}

/**
 * Settings of services, in the merged values, that violate their namespace's Pod Security Standard. Kubernetes would
 * accept such a Deployment but none of its pods.
 */
export function findTooPrivileged(values: MapTree, services: readonly string[]): readonly Problem[] {
  const level = findAt(values, ['namespace', 'podSecurity']);
  const isBaseline = level?.kind === 'scalar' && level.value === 'baseline';
  const place = toPlaceText(placeOf(values, ['namespace', 'podSecurity']));
  const defaults = findAt(values, ['serviceDefaults']);
  return services.flatMap((name) => {
    const own = findAt(values, ['services', name]);
    if (defaults?.kind !== 'map' || own?.kind !== 'map') return [];
    const settings = overlay(defaults, own);
    return listDemands(settings).flatMap(({ path, level, what }) => {
      if (level === 'baseline' && isBaseline) return [];
      const needed = `${what} needs the Pod Security level ${level}`;
      const text =
        level === 'baseline'
          ? `${needed}, but namespace.podSecurity is restricted (${place}): set it to baseline`
          : `${needed}, which no namespace of weAlist allows: remove it`;
      return [{ place: placeOf(settings, path), path: ['services', name, ...path], text }];
    });
  });
}

function listDemands(settings: MapTree): readonly Demand[] {
  const container = 'securityContext';
  const pod = 'podSecurityContext';
  const either = (key: string) =>
    findScalar(settings, [container, key]) === undefined ? [pod, key] : [container, key];
  const added = listTexts(findAt(settings, [container, 'capabilities', 'add']));
  const dropped = listTexts(findAt(settings, [container, 'capabilities', 'drop']));
  const seccomp = findScalar(settings, [container, 'seccompProfile', 'type']);
  const forbidden: readonly (Demand | false)[] = [
    findScalar(settings, either('runAsNonRoot')) !== true &&
      demand(either('runAsNonRoot'), 'baseline', 'a container that may run as root'),
    findScalar(settings, either('runAsUser')) === 0 &&
      demand(either('runAsUser'), 'baseline', 'a container that runs as root'),
    findScalar(settings, [container, 'allowPrivilegeEscalation']) !== false &&
      demand([container, 'allowPrivilegeEscalation'], 'baseline', 'a process that may gain privileges'),
    !dropped.includes('ALL') &&
      demand([container, 'capabilities', 'drop'], 'baseline', 'a container that keeps capabilities'),
    !['RuntimeDefault', 'Localhost'].includes(
      String(seccomp ?? findScalar(settings, [pod, 'seccompProfile', 'type'])),
    ) && demand([pod, 'seccompProfile'], 'baseline', 'a container without a seccomp profile'),
    findScalar(settings, [container, 'privileged']) === true &&
      demand([container, 'privileged'], 'privileged', 'a privileged container'),
  ];
  return [
    ...forbidden.filter((each) => each !== false),
    ...added.flatMap((name) =>
      name === 'NET_BIND_SERVICE'
        ? []
        : [
            demand(
              [container, 'capabilities', 'add'],
              baselineCapabilities.has(name) ? 'baseline' : 'privileged',
              `the capability ${name}`,
            ),
          ],
    ),
    ...listVolumes(settings).map((name) =>
      demand(['volumes', name, 'source', 'hostPath'], 'privileged', 'a hostPath volume'),
    ),
  ];
}

function demand(path: readonly string[], level: Demand['level'], what: string): Demand {
  return { path, level, what };
}

function listVolumes(settings: MapTree): readonly string[] {
  const volumes = findAt(settings, ['volumes']);
  if (volumes?.kind !== 'map') return [];
  return [...volumes.entries]
    .filter(([, { value }]) => findAt(value, ['source', 'hostPath']))
    .map(([name]) => name);
}

function findScalar(tree: MapTree, path: readonly string[]): unknown {
  const found = findAt(tree, path);
  return found?.kind === 'scalar' ? (found.value ?? undefined) : undefined;
}

function listTexts(tree: Tree | undefined): readonly string[] {
  if (tree?.kind !== 'list') return [];
  return tree.items.flatMap((item) => (item.kind === 'scalar' ? [String(item.value)] : []));
}
