import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const table = 'helm/charts/wealist-common/values.yaml';
const common = 'helm/charts/noti-service';

/**
 * Adds `count` stand-ins to a checkout as CONTRIBUTING.md says, each with its own database, and every second one with
 * Redis. Resolves to their names.
 */
export async function generateServices(root: string, count: number): Promise<readonly string[]> {
  const numbers = Array.from({ length: count }, (_, at) => at + 1);
  const text = await readFile(join(root, table), 'utf8');
  const entries = numbers.map(toEntry).join('');
  await writeFile(join(root, table), text.replace('\n      frontend:\n', `\n${entries}      frontend:\n`));
  const chart = await readFile(join(root, common, 'Chart.yaml'), 'utf8');
  const template = await readFile(join(root, common, 'templates/service.yaml'), 'utf8');
  return Promise.all(
    numbers.map(async (number) => {
      const name = toName(number);
      const folder = join(root, 'helm/charts', name);
      await mkdir(join(folder, 'templates'), { recursive: true });
      await mkdir(join(folder, 'charts'));
      await mkdir(join(root, 'services', name));
      await Promise.all([
        writeFile(join(folder, 'Chart.yaml'), chart.replace(/^name: .*$/m, `name: ${name}`)),
        writeFile(join(folder, 'values.yaml'), `services:\n  ${name}: {}\n`),
        writeFile(join(folder, 'templates/service.yaml'), template),
        symlink('../../values.schema.json', join(folder, 'values.schema.json')),
        symlink('../../wealist-common', join(folder, 'charts/wealist-common')),
        writeFile(join(root, 'services', name, 'main.ts'), toMain()),
        writeFile(join(root, 'services', name, 'service.ts'), toProgram(number)),
      ]);
      return name;
    }),
  );
}

function toName(number: number): string {
  return `extra${number}-service`;
}

function hasRedis(number: number): boolean {
  return number % 2 === 0;
}

function toEntry(number: number): string {
  const needs = ['postgres', ...(hasRedis(number) ? ['redis'] : []), 'auth-service'];
  return `      ${toName(number)}:
        port: ${8100 + number}
        route: extra${number}
        needs: [${needs.join(', ')}]
        database: { name: wealist_extra${number}_service_db, role: extra${number}_service }
`;
}

function toMain(): string {
  return `import { run } from '../common/run.ts';
import { service } from './service.ts';

run(service);
`;
}

function toProgram(number: number): string {
  return `import { callsRoute, peer } from '../common/peer.ts';
import { postgres } from '../common/postgres.ts';
import { redis } from '../common/redis.ts';
import { rowTable } from '../common/rows.ts';
import { defineService } from '../common/service.ts';

export const service = defineService({
  name: '${toName(number)}',
  connect: (settings) => ({
    postgres: postgres(settings, [rowTable('extras')]),
    ${hasRedis(number) ? 'redis: redis(settings),' : ''}
    auth: peer(settings, 'auth-service'),
  }),
  routes: ({ dependencies: { auth } }) => [callsRoute('/api/extras/calls', [auth])],
});
`;
}
