import type { Tolerance } from './growth.ts';

/** A figure that is sampled again and again. */
export interface Metric {
  /** As in the samples. */
  readonly name: string;
  readonly what: string;
  readonly unit: 'bytes' | 'count';
  readonly tolerance: Tolerance;
}

const megabyte = 1_000_000;
const mebibyte = 1024 * 1024;

/** Everything that must not grow, however long the tool is used. */
export const metrics: readonly Metric[] = [
  bytes('nodeMemory', 'memory of all processes on the node', { absolute: 30 * megabyte, share: 0.05 }),
  count('nodeProcesses', 'processes on the node', { absolute: 3 }),
  count('nodeFiles', 'open files on the node', { absolute: 20, share: 0.03 }),
  count('nodeSockets', 'sockets on the node', { absolute: 20, share: 0.05 }),
  count('nodeMounts', 'mounts on the node', { absolute: 2 }),
  count('nodeCgroups', 'control groups on the node', { absolute: 10, share: 0.02 }),
  count('nodeInterfaces', 'network interfaces on the node', { absolute: 1 }),
  count('nodeIptables', 'iptables rules on the node', { absolute: 2 }),
  count('nodeNft', 'lines of nft rules on the node', { absolute: 4 }),
  count('nodeImages', 'images on the node', { absolute: 2 }),
  bytes('nodeContainerd', 'images and containers on the disk of the node', { absolute: 5 * megabyte }),
  bytes('nodeEtcd', 'database of etcd', { absolute: 4 * megabyte }),
  // A container's log is rotated at 10 MiB and five of them are kept; the cluster has some 30 containers.
  bytes('nodeLogs', 'logs on the node', { absolute: 0, limit: 30 * 5 * 10 * mebibyte }),
  bytes('nodeOutput', "output of the node's container", { absolute: megabyte }),
  // Its write-ahead log grows to max_wal_size before its files are used again.
  bytes('volumes', 'volumes of the data stores', { absolute: 0, limit: 1.5 * 1024 * mebibyte }),
  count('objects', 'objects of the API server', { absolute: 3 }),
  count('machineRules', "iptables rules of this machine for the cluster's ports", { absolute: 0 }),
  bytes('ourMemory', 'memory of forward, logs and reload --watch', { absolute: 10 * megabyte, share: 0.05 }),
  count('ourFiles', 'open files of forward, logs and reload --watch', { absolute: 3 }),
  count('ourProcesses', 'processes of the commands', { absolute: 0 }),
  count('temporaryFiles', 'temporary files', { absolute: 0 }),
  count('cachedImages', 'images in the cache', { absolute: 2 }),
  bytes('cacheSize', 'size of the cache', { absolute: 5 * megabyte }),
  count('snapshots', 'snapshots of the databases', { absolute: 0 }),
  count('stateFiles', 'files in .wealist, without saved logs', { absolute: 1 }),
  // Renamed at 0.5 MiB, and the one before is replaced.
  bytes('runs', 'record of the runs', { absolute: 0, limit: 1.1 * mebibyte }),
  bytes('savedLogs', 'saved logs', { absolute: 0, limit: 256 * mebibyte }),
];

function bytes(name: string, what: string, tolerance: Tolerance): Metric {
  return { name, what, unit: 'bytes', tolerance };
}

function count(name: string, what: string, tolerance: Tolerance): Metric {
  return { name, what, unit: 'count', tolerance };
}
