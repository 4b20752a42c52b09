import { expect, test } from 'vitest';
import { rewriteAddresses } from '../../src/intercept/local-addresses.ts';

const addresses = [
  { name: 'postgres', port: 5432, localPort: 15432 },
  { name: 'redis', port: 6379, localPort: 6379 },
  { name: 'user-service', port: 8081, localPort: 18081 },
  { name: 'frontend', port: 80, localPort: 3000 },
];
const services = ['postgres', 'redis', 's3', 'user', 'user-service', 'frontend'];
const rewrite = (variables: Record<string, string>) =>
  rewriteAddresses(variables, { namespace: 'wealist-kind-local', addresses, services });

test.each([
  ['postgres:5432', '127.0.0.1:15432'],
  ['http://user-service:8081', 'http://127.0.0.1:18081'],
  ['http://user-service:8081/api?x=1', 'http://127.0.0.1:18081/api?x=1'],
  ['http://user-service.wealist-kind-local:8081/', 'http://127.0.0.1:18081/'],
  ['http://user-service.wealist-kind-local.svc.cluster.local:8081', 'http://127.0.0.1:18081'],
  ['http://frontend', 'http://127.0.0.1:3000'],
  ['http://frontend/index.html', 'http://127.0.0.1:3000/index.html'],
  [
    'postgresql://postgres:postgres@postgres:5432/postgres',
    'postgresql://postgres:postgres@127.0.0.1:15432/postgres',
  ],
  ['redis://:p%40ss@redis:6379/1', 'redis://:p%40ss@127.0.0.1:6379/1'],
  ['user-service:8081,redis:6379', '127.0.0.1:18081,127.0.0.1:6379'],
  ['u:p@tcp(postgres:5432)/d', 'u:p@tcp(127.0.0.1:15432)/d'],
  ['host=postgres user=postgres password=x', 'host=127.0.0.1 user=postgres password=x port=15432'],
  ['host=postgres port=5432 user=board', 'host=127.0.0.1 port=15432 user=board'],
])('%s becomes %s', (before, after) => {
  expect(rewrite({ ADDRESS_OF_IT: before }).variables).toEqual({ ADDRESS_OF_IT: after });
});

test.each([
  'postgres',
  'the redis of it',
  'http://localhost:8080/user-service/',
  'http://my-user-service:8081',
  'http://user-service-2:8081',
  'http://user-service:9999',
  'https://user-service',
  'https://user-service.example.com:8081/',
  '/var/redis',
])('%s stays as it is', (value) => {
  expect(rewrite({ NAME: value })).toMatchObject({
    variables: { NAME: value },
    changed: [],
    unreachable: [],
  });
});

test('a host and the port beside it are one address; a user name that equals a host is none', () => {
  const { variables, changed } = rewrite({
    DB_HOST: 'postgres',
    DB_PORT: '5432',
    DB_USER: 'postgres',
    REDIS_HOST: 'redis.wealist-kind-local',
    REDIS_PORT: '6379',
    OTHER_PORT: '5432',
  });
  expect(variables).toEqual({
    DB_HOST: '127.0.0.1',
    DB_PORT: '15432',
    DB_USER: 'postgres',
    REDIS_HOST: '127.0.0.1',
    REDIS_PORT: '6379',
    OTHER_PORT: '5432',
  });
  expect(changed).toEqual(['DB_HOST', 'DB_PORT', 'REDIS_HOST']);
});

test('an address to which no port leads is reported and stays', () => {
  const { variables, unreachable } = rewrite({
    S3_ENDPOINT: 'http://s3:7070',
    S3_HOST: 's3',
    DSN: 'host=s3',
  });
  expect(variables).toEqual({ S3_ENDPOINT: 'http://s3:7070', S3_HOST: 's3', DSN: 'host=s3' });
  expect(unreachable).toEqual([
    { key: 'S3_ENDPOINT', service: 's3' },
    { key: 'S3_HOST', service: 's3' },
    { key: 'DSN', service: 's3' },
  ]);
});
