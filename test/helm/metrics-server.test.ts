import { describe, expect, it } from 'vitest';
import { render } from './helm.ts';
import { getContainer, getManifest, getWorkload } from './manifests.ts';
import { listViolations } from './restricted.ts';

const images = { 'metrics-server': 'wealist.local/metrics-server:1' };

describe('metrics-server', () => {
  it('is restricted, and serves the API that autoscalers ask', async () => {
    const manifests = await render('metrics-server', { values: { images } });
    const workload = getWorkload(manifests, 'metrics-server');
    expect(listViolations(workload.spec.template.spec)).toEqual([]);
    expect(getManifest(manifests, 'APIService', 'v1beta1.metrics.k8s.io').spec).toMatchObject({
      group: 'metrics.k8s.io',
      service: { name: 'metrics-server', namespace: 'metrics' },
    });
    expect(getManifest(manifests, 'RoleBinding', 'metrics-server').metadata.namespace).toBe('kube-system');
  });

  it('gives a kubelet less time than lies between two questions: it would not start otherwise', async () => {
    const manifests = await render('metrics-server', {
      values: { images, metricsServer: { everySeconds: 4 } },
    });
    const { command } = getContainer(getWorkload(manifests, 'metrics-server'));
    expect(command).toEqual(
      expect.arrayContaining(['--metric-resolution=4s', '--kubelet-request-timeout=2s']),
    );
  });
});
