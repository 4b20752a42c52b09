import { describe, expect, it } from 'vitest';
import { refusal, render } from './helm.ts';
import { getManifest, getWorkload, listIngresses } from './manifests.ts';

describe('LiveKit', () => {
  const infrastructure = (host: string) =>
    render('wealist-infrastructure', { values: { infrastructure: { livekit: { host } } } });

  it('is off: no route, no Service, no address, no need for its keys', async () => {
    const manifests = await infrastructure('');
    expect(JSON.stringify(listIngresses(manifests))).not.toContain('livekit');
    expect(manifests.map(({ metadata }) => metadata.name)).not.toContain('livekit');
    const { annotations } = getWorkload(await render('video-service'), 'video-service').metadata;
    expect(annotations).toEqual({
      'wealist.local/note': 'video calls are off: infrastructure.livekit.host names no server',
    });
    const values = { shared: { secrets: { LIVEKIT_API_KEY: '', LIVEKIT_API_SECRET: '' } } };
    await render('wealist-infrastructure', { values });
  });

  it('is on where a server is named: addresses, its route, and its keys are asked for', async () => {
    const manifests = await infrastructure('livekit.example');
    expect(getManifest(manifests, 'ConfigMap', 'wealist-shared-config').data).toMatchObject({
      ...{ LIVEKIT_URL: 'http://livekit.example:7880', LIVEKIT_HOST: 'http://livekit.example:7880' },
      LIVEKIT_WS_URL: 'ws://localhost/svc/livekit',
    });
    expect(getManifest(manifests, 'Service', 'livekit').spec).toMatchObject({
      ...{ type: 'ExternalName', externalName: 'livekit.example' },
    });
    const paths = listIngresses(manifests).flatMap(({ spec }) =>
      spec.rules.flatMap(({ http }) => http.paths.map(({ path, backend }) => [path, backend.service.name])),
    );
    expect(paths).toContainEqual(['/svc/livekit', 'livekit']);
    const values = {
      infrastructure: { livekit: { host: 'livekit.example' } },
      shared: { secrets: { LIVEKIT_API_SECRET: '' } },
    };
    expect(await refusal('wealist-infrastructure', { values })).toContain('LIVEKIT_API_SECRET is missing');
  });

  it('may be an address', async () => {
    const manifests = await infrastructure('192.0.2.7');
    expect(getManifest(manifests, 'Service', 'livekit').spec).not.toHaveProperty('type');
    expect(getManifest(manifests, 'EndpointSlice', 'livekit')).toMatchObject({
      metadata: { labels: { 'kubernetes.io/service-name': 'livekit' } },
      endpoints: [{ addresses: ['192.0.2.7'] }],
    });
  });
});
