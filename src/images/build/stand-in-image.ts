import { type Image, type Layer, toImageConfig } from '../../lib/oci.ts';

/** A stand-in's command; the charts name the same one (`serviceDefaults.command`). */
export const standInCommand = ['node', '/app/main.js'] as const;

/**
 * A stand-in's own files are one small layer over the base and the npm packages that all stand-ins share, so a reload
 * loads only that layer.
 */
export function toStandInImage(base: Image, packages: Layer, own: Layer, architecture: string): Image {
  const layers = [...base.layers, packages, own];
  const { config } = JSON.parse(base.config) as { config: object };
  const settings = { ...config, Entrypoint: [], Cmd: standInCommand, WorkingDir: '/app' };
  return { layers, config: toImageConfig(layers, settings, architecture) };
}
