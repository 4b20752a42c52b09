import { beforeAll, describe, expect, it } from 'vitest';
import { contract } from './contract.ts';
import { type Controller, nginx, traefik } from './controllers.ts';
import { render } from './helm.ts';
import { listIngresses, type Manifest } from './manifests.ts';

const routes = (values: object) => render('wealist-infrastructure', { values });
const ask = (controller: Controller, address: string) => {
  const slash = address.indexOf('/');
  return controller(address.slice(0, slash), address.slice(slash));
};

let forTraefik: readonly Manifest[];
let forNginx: readonly Manifest[];
beforeAll(async () => {
  const [chart, ...flavours] = await Promise.all([
    render('ingress-traefik'),
    routes({ ingress: { controller: 'traefik' } }),
    routes({ ingress: { controller: 'nginx' } }),
  ]);
  forTraefik = [...chart, ...flavours[0]];
  forNginx = flavours[1];
});

describe('the public routes', () => {
  it.each(contract)('%s → %s', (address, destination) => {
    expect(ask(traefik(forTraefik), address)).toBe(destination);
    expect(ask(nginx(forNginx), address)).toBe(destination);
  });

  it('are the same objects for either controller', () => {
    const names = (manifests: readonly Manifest[]) =>
      listIngresses(manifests).map(({ metadata, spec }) => [
        metadata.name,
        spec.rules.map(({ host, http }) => [host, http.paths.map(({ backend }) => backend)]),
      ]);
    expect(names(forTraefik)).toEqual(names(forNginx));
    expect(names(forTraefik)).toHaveLength(5);
  });

  it('lead only to services that are deployed', async () => {
    const values = {
      services: { 'board-service': { enabled: false }, frontend: { enabled: false } },
      infrastructure: { s3: { enabled: false } },
    };
    const [chart, some] = await Promise.all([render('ingress-traefik', { values }), routes(values)]);
    const controller = traefik([...chart, ...some]);
    expect(ask(controller, 'localhost/svc/board/api/boards')).toBe('nowhere');
    expect(ask(controller, 'localhost/svc/board/api/boards/ws/project/7')).toBe('nowhere');
    expect(ask(controller, 'localhost/')).toBe('nowhere');
    expect(ask(controller, 's3.localhost/wealist-files/a')).toBe('nowhere');
    expect(ask(controller, 'localhost/svc/chat/x')).toBe('chat-service /x');
    expect(ask(controller, 'localhost/oauth2/x')).toBe('auth-service /oauth2/x');
  });

  it('do not disturb Traefik when a service comes or goes', async () => {
    const values = { services: { 'board-service': { enabled: false } } };
    const deployments = await Promise.all([render('ingress-traefik'), render('ingress-traefik', { values })]);
    expect(deployments[1]).toEqual(deployments[0]);
  });

  it('stay open for streams and let uploads through nginx', () => {
    for (const { metadata } of listIngresses(forNginx)) {
      expect(metadata.annotations).toMatchObject({
        'nginx.ingress.kubernetes.io/proxy-read-timeout': '3600',
        'nginx.ingress.kubernetes.io/proxy-send-timeout': '3600',
        'nginx.ingress.kubernetes.io/proxy-buffering': 'off',
        'nginx.ingress.kubernetes.io/ssl-redirect': 'false',
        'nginx.ingress.kubernetes.io/proxy-body-size': metadata.name === 'wealist-s3' ? '0' : '100m',
      });
      expect(Object.keys(metadata.annotations ?? {}).filter((key) => key.includes('snippet'))).toEqual([]);
    }
  });

  it('follow the name that browsers know the platform by, and may be bound to it', async () => {
    const named = (anyHost: boolean, controller: string) =>
      routes({ public: { host: 'dev.wealist.example' }, ingress: { anyHost, controller } });
    const chart = await render('ingress-traefik');
    for (const anyHost of [true, false]) {
      const [forTraefik, forNginx] = await Promise.all([named(anyHost, 'traefik'), named(anyHost, 'nginx')]);
      for (const controller of [traefik([...chart, ...forTraefik]), nginx(forNginx)]) {
        expect(ask(controller, 's3.dev.wealist.example/wealist-files/a')).toBe('s3 /wealist-files/a');
        expect(ask(controller, 'dev.wealist.example/svc/chat/x')).toBe('chat-service /x');
        expect(ask(controller, 'dev.wealist.example/svc/chat/api/internal')).toBe('closed');
        // Another environment behind the same controller.
        expect(ask(controller, 'wealist.example/svc/chat/x')).toBe(anyHost ? 'chat-service /x' : 'nowhere');
      }
    }
  });

  it('are served by TLS where the certificate is named, and nginx sends browsers there', async () => {
    const manifests = await routes({
      public: { scheme: 'https', host: 'dev.wealist.example' },
      ingress: { controller: 'nginx', anyHost: false, tlsSecret: 'wealist-tls' },
    });
    const ingresses = listIngresses(manifests);
    expect(ingresses.map(({ spec }) => spec.tls)).toEqual(
      ingresses.map(({ spec }) => [{ hosts: [spec.rules[0]?.host], secretName: 'wealist-tls' }]),
    );
    for (const { metadata } of ingresses) {
      expect(metadata.annotations?.['nginx.ingress.kubernetes.io/ssl-redirect']).toBe('true');
    }
  });

  it('lead to LiveKit once its server is named', async () => {
    const values = { infrastructure: { livekit: { host: 'livekit.example' } } };
    const [chart, some] = await Promise.all([render('ingress-traefik', { values }), routes(values)]);
    expect(ask(traefik([...chart, ...some]), 'localhost/svc/livekit/rtc')).toBe('livekit /rtc');
    expect(ask(traefik(forTraefik), 'localhost/svc/livekit/rtc')).toBe('frontend /svc/livekit/rtc');
  });
});
