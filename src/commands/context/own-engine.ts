import { join } from 'node:path';
import type { App } from '../../cli/command.ts';
import type { Engine } from '../../machine/engine.ts';
import type { Host } from '../../machine/host.ts';
import { findOtherEngine } from '../../machine/other-engine.ts';
import { type ClusterRecord, toClusterFile, writeClusterRecord } from '../../state/cluster-record.ts';
import {
  type EngineRecord,
  findEngineRecord,
  removeEngineRecord,
  toEngineFile,
} from '../../state/engine-record.ts';
import { requireSameEngine } from '../../state/same-engine.ts';

/** The engine as it is recorded; undefined for one without an ID. */
export function toEngineRecord({ daemonId, socket }: Pick<Engine, 'daemonId' | 'socket'>) {
  const record: EngineRecord = { id: daemonId, socket };
  return daemonId === '' ? undefined : record;
}

export interface OwnEngineOptions {
  readonly host: Host;
  /** Name of the cluster. */
  readonly name: string;
  /** What is recorded for this checkout's cluster. */
  readonly record: ClusterRecord | undefined;
  /** Whether data of an engine that was replaced may be used, after confirmation. */
  readonly adopt?: { readonly confirmed: boolean } | undefined;
}

/**
 * Requires that a cluster which does not exist in this engine was not created in another one. An engine that was
 * installed again responds at the same socket with another ID, and the previous one cannot be reached: its data may be
 * used after confirmation. Resolves to the checkout's record, without the engine that was replaced.
 * @throws {Failure} exit code 9 when another engine is recorded, 2 or 9 without confirmation.
 */
export async function requireOwnEngine(
  app: Pick<App, 'paths' | 'signal' | 'confirm'>,
  engine: Engine,
  { name, record, host, adopt }: OwnEngineOptions,
): Promise<ClusterRecord | undefined> {
  const current = toEngineRecord(engine);
  if (!current) return record;
  const { paths } = app;
  const data = join(paths.data, name);
  const ofCheckout = record?.name === name ? record : undefined;
  const recorded = [
    { file: toEngineFile(data), engine: await findEngineRecord(data) },
    { file: toClusterFile(paths), engine: ofCheckout?.engine },
  ];
  const others = recorded.flatMap((each) =>
    each.engine && each.engine.id !== current.id ? [each.engine] : [],
  );
  const isReplaced = others.every(({ socket }) => socket === current.socket);
  if (!adopt || others.length === 0 || !isReplaced || (await findOtherEngine(host, others, app.signal))) {
    requireSameEngine(name, current, recorded);
    return record;
  }
  await app.confirm(
    {
      subject: `using the data of cluster ${name} in another container engine`,
      heading: `Cluster ${name} was created in the container engine ${others[0]?.id}, and now ${current.id} responds at ${current.socket}:`,
      lines: [
        `its data in ${data} will be used by a new cluster`,
        'if that engine still runs its cluster elsewhere, remove that one first: both would use the same databases',
      ],
      message: 'Was the engine replaced?',
    },
    adopt.confirmed,
  );
  await removeEngineRecord(data);
  if (!ofCheckout) return record;
  const forgotten = { ...ofCheckout, engine: undefined };
  await writeClusterRecord(paths, forgotten);
  return forgotten;
}
