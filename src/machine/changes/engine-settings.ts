import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../lib/failure.ts';
import type { Change } from '../change.ts';
import type { Root } from '../root.ts';

/** Where Debian's and Ubuntu's packages put runc: only an engine that was installed from them is given the wrapper. */
const runc = '/usr/sbin/runc';
const wrapper = '/usr/local/lib/wealist-local/runc-without-sys-resource';
const runtime = 'wealist-nores';

export interface EngineSettings {
  /** Of the engine's networks, where the host's own is below 1500. */
  readonly mtu?: number | undefined;
  /** Containers are started through the wrapper that leaves CAP_SYS_RESOURCE out. */
  readonly withoutSysResource: boolean;
}

export interface SettingsOptions {
  /** The engine's settings file. */
  readonly file?: string;
}

/** What this tool sets in an engine of its own: the file, and the wrapper runtime where limits cannot be raised. */
export function setEngineSettings(
  root: Root,
  settings: EngineSettings,
  { file = '/etc/docker/daemon.json' }: SettingsOptions = {},
): Change {
  const wanted = toSettings(settings);
  return {
    id: 'engine-settings',
    title: `${file} set: ${describe(settings)}`,
    why: explain(settings),
    command: root.show(`tee ${file} <<< '${JSON.stringify(wanted)}'`),
    async isNeeded() {
      const { text, present } = await readSettings(file);
      return text === undefined
        ? Object.keys(wanted).length > 0
        : JSON.stringify({ ...present, ...wanted }) !== JSON.stringify(present);
    },
    async apply() {
      if (settings.withoutSysResource) await root.writeFile(wrapper, await wrapperScript(runc), '0755');
      const { present } = await readSettings(file);
      await root.writeFile(file, `${JSON.stringify({ ...present, ...wanted }, null, 2)}\n`, '0644');
    },
  };
}

/** The text of the runtime wrapper in front of this runc. */
export async function wrapperScript(runcPath: string): Promise<string> {
  const text = await readFile(join(import.meta.dirname, '../runtime-wrapper.sh'), 'utf8');
  return text.replace('exec RUNC', `exec ${runcPath}`);
}

function toSettings({ mtu, withoutSysResource }: EngineSettings): Readonly<Record<string, unknown>> {
  return {
    ...(mtu === undefined ? {} : { mtu }),
    ...(withoutSysResource ? { runtimes: { [runtime]: { path: wrapper } }, 'default-runtime': runtime } : {}),
  };
}

async function readSettings(
  file: string,
): Promise<{ text?: string; present: Readonly<Record<string, unknown>> }> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined || text.trim() === '') return { present: {} };
  try {
    return { text, present: JSON.parse(text) };
  } catch (cause) {
    throw new Failure(`${file} is not JSON`, { cause, hint: `python3 -m json.tool ${file}` });
  }
}

function describe({ mtu, withoutSysResource }: EngineSettings): string {
  return [
    ...(mtu === undefined ? [] : [`MTU ${mtu}`]),
    ...(withoutSysResource ? ['containers started without CAP_SYS_RESOURCE'] : []),
  ].join(', ');
}

function explain({ mtu, withoutSysResource }: EngineSettings): string {
  return [
    ...(mtu === undefined ? [] : ['larger packets than the host can send would be lost']),
    ...(withoutSysResource
      ? ['this machine withholds CAP_SYS_RESOURCE, and a privileged container that asks for it cannot start']
      : []),
  ].join('; ');
}
