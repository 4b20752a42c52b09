import { type Image, type Layer, toImageConfig } from '../../lib/oci.ts';

/** How a stand-in starts; the charts say so, too (`serviceDefaults.command`). */
export const standInCommand = ['node', '/app/main.js'] as const;

/**
 * A stand-in's own files are one thin layer over the base and the packages that all share: a reload sends that layer
 * and nothing else.
 */
export function toStandInImage(base: Image, packages: Layer, own: Layer, architecture: string): Image {
  const layers = [...base.layers, packages, own];
  const { config } = JSON.parse(base.config) as { config: object };
  const settings = { ...config, Entrypoint: [], Cmd: standInCommand, WorkingDir: '/app' };
  return { layers, config: toImageConfig(layers, settings, architecture) };
}
