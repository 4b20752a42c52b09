import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../lib/failure.ts';
import type { Change } from './change.ts';
import type { Root } from './root.ts';

/** Settings of an engine that this tool installed. */
export interface EngineSettings {
  /** MTU of the engine's networks; undefined leaves it unchanged. */
  readonly mtu?: number | undefined;
  /** Containers are started through the wrapper that leaves CAP_SYS_RESOURCE out. */
  readonly withoutSysResource?: boolean;
}

export const settingsFile = '/etc/docker/daemon.json';
/** Path of the wrapper in the checkout, and where it is installed. */
export const wrapperSource = join(import.meta.dirname, 'runtime-wrapper.sh');
export const wrapperPath = '/usr/local/lib/wealist-local/runc-without-sys-resource';
const runtime = 'wealist-nores';

/** Merges the settings over the existing ones in the file; the engine reads them when it starts. */
export function setEngineSettings(root: Root, settings: EngineSettings): Change {
  const file = root.path(settingsFile);
  const wanted = toDaemonSettings(settings);
  return {
    id: 'engine-settings',
    title: `container engine configured: ${describe(settings)}`,
    why: explain(settings),
    detail: [
      `${file}: ${JSON.stringify(wanted)}`,
      ...(settings.withoutSysResource ? [`${wrapperPath}: a wrapper script for runc`] : []),
    ].join('; '),
    async isNeeded() {
      const present = await readDaemonSettings(file);
      return JSON.stringify({ ...present, ...wanted }) !== JSON.stringify(present);
    },
    async apply() {
      // The wrapper first: the engine does not start with a runtime that is missing.
      if (settings.withoutSysResource) {
        await root.writeFile(root.path(wrapperPath), await readFile(wrapperSource, 'utf8'), '0755');
      }
      const present = await readDaemonSettings(file);
      await root.writeFile(file, `${JSON.stringify({ ...present, ...wanted }, undefined, 2)}\n`, '0644');
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

async function readDaemonSettings(file: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Failure(`${file} is not JSON`, { cause, hint: `python3 -m json.tool ${file}` });
  }
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
