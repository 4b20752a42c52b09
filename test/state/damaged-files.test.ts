import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findPolicyRecord, toPolicyFile } from '../../src/cluster/network-policies.ts';
import { openImageDigests } from '../../src/images/pull/image-digests.ts';
import { createSystemRecord } from '../../src/machine/system-record.ts';
import { findCheckoutId } from '../../src/state/checkout-id.ts';
import { findChosenEnvironment } from '../../src/state/chosen-environment.ts';
import { findClusterRecord } from '../../src/state/cluster-record.ts';
import { listSnapshots } from '../../src/state/database-snapshots.ts';
import { findEngineRecord } from '../../src/state/engine-record.ts';
import { findOwnerRecord } from '../../src/state/owner-record.ts';
import { listRuns } from '../../src/state/runs.ts';
import { findTrust } from '../../src/state/trust.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';

/** What a file holds after a crash, a full disk, an editor, or a later version of this tool. */
const damages: Readonly<Record<string, string | Uint8Array>> = {
  'nothing at all': '',
  'a blank line': '\n',
  'half of an object': '{"version": 1, "na',
  'a list': '[]',
  null: 'null',
  'a number': '1',
  'a text': '"wealist"',
  'another type for each field':
    '{"version":1,"name":{},"id":[],"checkout":1,"state":null,"context":{},"fingerprint":7}',
  'a prototype': '{"__proto__":{"version":1},"constructor":1}',
  'a later version': '{"version":99,"name":"wealist"}',
  'NUL bytes, as after a loss of power': new Uint8Array(512),
  'bytes that are no text': new Uint8Array([0xff, 0xfe, 0x00, 0x80, 0xc0, 0xaf]),
  'deep nesting': '['.repeat(100_000),
};

interface Reader {
  /** Path below the test's folder. */
  readonly file: string;
  readonly read: (folder: string) => Promise<unknown>;
  /** What counts as nothing being recorded. */
  readonly nothing: unknown;
}

const readers: Readonly<Record<string, Reader>> = {
  'the ID of the checkout': { file: 'id', read: (state) => findCheckoutId({ state }), nothing: undefined },
  'the record of the cluster': {
    file: 'cluster.json',
    read: (state) => findClusterRecord({ state }),
    nothing: undefined,
  },
  'the chosen environment': {
    file: 'environment.json',
    read: (state) => findChosenEnvironment({ state }),
    nothing: 'local-kind',
  },
  'a trusted cluster': {
    file: 'remote/dev.json',
    read: (state) => findTrust({ state }, 'dev'),
    nothing: undefined,
  },
  'the engine of the data folder': { file: 'engine.json', read: findEngineRecord, nothing: undefined },
  'the owner of a cluster': { file: 'checkout', read: findOwnerRecord, nothing: undefined },
  'the probe of the network policies': {
    file: toPolicyFile({ state: '' }),
    read: (state) => findPolicyRecord({ state }),
    nothing: undefined,
  },
  'the digests of images': {
    file: 'image-digests.json',
    read: (data) => openImageDigests({ data, cache: data }).find('docker.io/library/redis:8'),
    nothing: undefined,
  },
  'the manifest of a snapshot': {
    file: 'snapshots/before/manifest.json',
    read: (folder) => listSnapshots(join(folder, 'snapshots')),
    nothing: [],
  },
  'the record of runs': { file: 'runs.ndjson', read: (state) => listRuns({ state }), nothing: [] },
  'the changes to the system': {
    file: 'record',
    read: (folder) =>
      createSystemRecord({ path: () => join(folder, 'record'), writeFile: async () => {} }).list(),
    nothing: [],
  },
};

describe.each(Object.entries(readers))('%s', (_, { file, read, nothing }) => {
  test.each(Object.entries(damages))('that holds %s counts as not recorded', async (_damage, content) => {
    const folder = await makeTemporaryFolder();
    const path = join(folder, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    expect(await read(folder)).toEqual(nothing);
    // The same the second time, when it may have been set aside.
    expect(await read(folder)).toEqual(nothing);
  });
});
