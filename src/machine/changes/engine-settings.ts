import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../engine.ts';
import type { Host } from '../host.ts';
import type { Change } from './change.ts';
import {
  type DaemonFile,
  listReplaced,
  mergeSettings,
  readDaemonFile,
  toCopyPath,
} from './daemon-settings.ts';
import type { Root } from './root.ts';

/** Settings of an engine that this tool installed. */
export interface EngineSettings {
  /** MTU of the engine's networks; undefined leaves it unchanged. */
  readonly mtu?: number | undefined;
  /** Containers are started through the wrapper that leaves CAP_SYS_RESOURCE out. */
  readonly withoutSysResource?: boolean;
}

export const settingsFile = '/etc/docker/daemon.json';
/** The settings file of an engine: a rootless one has its own, in the home folder of its user. */
export function settingsFileOf({ rootless }: Pick<Engine, 'rootless'>, { root, home, env }: Host): string {
  if (!rootless) return join(root, settingsFile);
  return join(env.XDG_CONFIG_HOME || join(home, '.config'), 'docker/daemon.json');
}

/** Path of the wrapper in the checkout, and where it is installed. */
export const wrapperSource = join(import.meta.dirname, 'runtime-wrapper.sh');
export const wrapperPath = '/usr/local/lib/wealist-local/runc-without-sys-resource';
const runtime = 'wealist-nores';

/**
 * Merges the settings into the existing ones of the file, of which a copy is made; the engine reads them when it starts.
 * @throws {Failure} as `readDaemonFile`.
 */
export async function setEngineSettings(root: Root, settings: EngineSettings): Promise<Change> {
  const file = root.path(settingsFile);
  const wanted = toDaemonSettings(settings);
  const present = await readDaemonFile(file);
  const isWanted = ({ settings: found }: DaemonFile) =>
    JSON.stringify(mergeSettings(found, wanted)) === JSON.stringify(found);
  return {
    id: 'engine-settings',
    title: `container engine configured: ${describe(settings)}`,
    why: explain(settings),
    detail: [
      `${file}: ${JSON.stringify(wanted)}`,
      ...listReplaced(present.settings, wanted).map((each) => `replaces ${each}`),
      ...(present.text === ''
        ? []
        : [`the other settings stay; a copy is kept in ${toCopyPath(file, present.text)}`]),
      ...(settings.withoutSysResource ? [`${wrapperPath}: a wrapper script for runc`] : []),
    ].join('; '),
    async isNeeded() {
      return !isWanted(await readDaemonFile(file));
    },
    async apply(run) {
      // The wrapper first: the engine does not start with a runtime that is missing.
      if (settings.withoutSysResource) {
        await root.writeFile(root.path(wrapperPath), await readFile(wrapperSource, 'utf8'), '0755');
      }
      const found = await readDaemonFile(file);
      if (found.text !== '') {
        const copy = toCopyPath(file, found.text);
        await root.writeFile(copy, found.text, '0600');
        run.report(`the previous settings are in ${copy}`);
      }
      const merged = mergeSettings(found.settings, wanted);
      await root.writeFile(file, `${JSON.stringify(merged, undefined, 2)}\n`, '0644');
    },
  };
}

/** The settings as Docker's `daemon.json` has them. */
export function toDaemonSettings({
  mtu,
  withoutSysResource,
}: EngineSettings): Readonly<Record<string, unknown>> {
  return {
    ...(mtu === undefined ? {} : { mtu }),
    ...(withoutSysResource
      ? { runtimes: { [runtime]: { path: wrapperPath } }, 'default-runtime': runtime }
      : {}),
  };
}

function describe({ mtu, withoutSysResource }: EngineSettings): string {
  return [
    ...(mtu === undefined ? [] : [`MTU ${mtu}`]),
    ...(withoutSysResource ? ['containers without CAP_SYS_RESOURCE'] : []),
  ].join(', ');
}

function explain({ mtu, withoutSysResource }: EngineSettings): string {
  return [
    ...(mtu === undefined
      ? []
      : [`this machine's network carries packets up to ${mtu} bytes, larger ones are lost`]),
    ...(withoutSysResource
      ? [
          'this machine withholds CAP_SYS_RESOURCE, without which privileged containers such as nodes do not start',
        ]
      : []),
  ].join('; ');
}
