import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Dependencies } from '../../services/common/dependency.ts';
import type { ServiceDefinition } from '../../services/common/service.ts';
import { readSettings } from '../../services/common/settings.ts';
import { serviceTable } from '../service-table.ts';

/** Any address: nothing connects before its first use. */
const env = {
  DATABASE_URL: 'postgresql://user:password@127.0.0.1:1/database',
  REDIS_URL: 'redis://127.0.0.1:1',
  ...{ S3_ENDPOINT: 'http://127.0.0.1:1', S3_BUCKET: 'files', S3_REGION: 'x' },
  ...{ S3_ACCESS_KEY: 'key', S3_SECRET_KEY: 'secret' },
  ...Object.fromEntries(
    Object.keys(serviceTable).map((name) => [
      `${name.toUpperCase().replaceAll('-', '_')}_URL`,
      'http://127.0.0.1:1',
    ]),
  ),
};

describe('the stand-ins and the table of services', () => {
  it.each(Object.entries(serviceTable))(
    '%s connects to what the table says it needs and calls',
    async (name, { needs, calls = [] }) => {
      const program: { service: ServiceDefinition<Dependencies> } = await import(
        join(import.meta.dirname, `../../services/${name}/service.ts`)
      );
      expect(program.service.name).toBe(name);
      const dependencies = Object.values(program.service.connect(readSettings(env)));
      await Promise.all(dependencies.map((dependency) => dependency.close()));
      // Browsers talk to LiveKit, a stand-in only names its address.
      const asked = [...needs, ...calls].filter((each) => each !== 'livekit');
      expect(dependencies.map((dependency) => dependency.name).sort()).toEqual(asked.sort());
    },
  );

  it('the page asks services at the routes of the table', async () => {
    // Plain JavaScript: its type is said here.
    const page = join(import.meta.dirname, '../../services/frontend/public/services.js');
    const { services }: { services: readonly { name: string; address: string }[] } = await import(page);
    for (const { name, address } of services) {
      const route = serviceTable[name]?.route;
      expect(address, name).toBe(route === undefined ? '/' : `/svc/${route}/`);
    }
    expect(services.length).toBeGreaterThan(1);
  });
});
