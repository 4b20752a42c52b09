import type { Controller } from '../config/values.ts';
import type { PublishedChart } from '../steps/deploy-release.ts';

/** The controller's namespace, whichever controller it is. */
export const ingressNamespace = 'ingress-nginx';

/** A chart and how it is installed. */
export interface ChartRelease {
  readonly release: string;
  readonly chart: string | PublishedChart;
  /** Its own values file, relative to the checkout; undefined where the environment's files have its values. */
  readonly valuesFile?: string;
}

/** How each controller is installed. */
export const ingressReleases: Readonly<Record<Controller, ChartRelease>> = {
  traefik: { release: 'ingress-traefik', chart: 'ingress-traefik' },
  // The last release: upstream was retired in March 2026.
  nginx: {
    release: 'ingress-nginx',
    chart: { name: 'ingress-nginx', url: 'https://kubernetes.github.io/ingress-nginx', version: '4.15.1' },
    valuesFile: 'helm/ingress-nginx.yaml',
  },
};
