import { expect, test } from 'vitest';
import { createSnapshot } from '../../src/diagnosis/snapshot.ts';
import { toAddresses } from '../../src/plans/addresses.ts';
import { environment } from '../fakes/app.ts';

/** Where a service with this readiness probe is asked. */
function addressOf(readinessProbe: object | undefined, route: string | undefined = 'auth') {
  const [name] = Object.keys(environment.services);
  if (name === undefined) throw new Error('the environment has no service');
  const service = environment.services[name];
  const deployment = {
    kind: 'Deployment',
    metadata: { name, namespace: environment.namespace, uid: 'd' },
    spec: { template: { spec: { containers: [{ name, image: 'x', readinessProbe }] } } },
    status: {},
  };
  const snapshot = createSnapshot(0, [deployment] as unknown as Parameters<typeof createSnapshot>[1]);
  const services = { [name]: { ...service, route } } as typeof environment.services;
  const [address] = toAddresses({ ...environment, services }, [name], { httpPort: 8080 }, snapshot);
  return { url: address?.url, acceptsErrors: address?.acceptsErrors };
}

test('a service is asked where its deployed readiness probe asks', () => {
  expect(addressOf({ httpGet: { path: '/actuator/health/readiness' } })).toEqual({
    url: 'http://localhost:8080/svc/auth/actuator/health/readiness',
  });
});

test('one whose probe is none of HTTP has to respond at all', () => {
  const url = 'http://localhost:8080/svc/auth/';
  expect(addressOf({ tcpSocket: { port: 'http' } })).toEqual({ url, acceptsErrors: true });
});
