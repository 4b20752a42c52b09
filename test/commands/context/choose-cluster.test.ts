import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { chooseCluster } from '../../../src/commands/context/choose-cluster.ts';
import { environment, makeApp } from '../../fakes/app.ts';
import { makeHost } from '../../fakes/host.ts';
import { makeTemporaryFolder } from '../../temporary-folder.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

test.runIf(hasIpv6)(
  'a program beside the existing cluster on [::1] is named, since localhost may lead there',
  async () => {
    const server = createServer().listen(0, '::1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { app, stderr } = makeApp({ state: await makeTemporaryFolder() });
    const { host } = await makeHost({ platform: process.platform });
    const { cluster, ...rest } = environment;
    if (!cluster) throw new Error('the environment of the tests is a local one');
    const local = { ...rest, cluster, ingress: { ...environment.ingress, controller: 'traefik' as const } };
    const choose = (httpPort: number) =>
      chooseCluster({
        app,
        host: { ...host, root: '/' },
        engine: undefined,
        environment: local,
        name: 'wealist',
        record: undefined,
        found: { httpPort, httpsPort: 8443 } as never,
        taken: new Set(),
        reserves: false,
      });
    expect(await choose(port)).toMatchObject({ httpPort: port });
    expect(stderr()).toContain(`(PID ${process.pid}) listens on [::1]:${port}: localhost may lead there`);
  },
);
