import { describe, expect, test } from 'vitest';
import { findClues } from '../../src/diagnosis/log-clues.ts';

const neighbours = [
  { name: 'postgres', addresses: ['postgres', '10.96.0.5'] },
  { name: 'redis', addresses: ['redis', '10.96.0.6'] },
  { name: 'user-service', addresses: ['user-service', '10.96.0.7'] },
];
const json = (message: string) => JSON.stringify({ time: '…', level: 'warn', message });

describe('errors in a log', () => {
  test.each([
    // The stand-ins.
    [
      json('postgres is down: database "board" does not exist'),
      'postgres',
      'database board does not exist in postgres',
    ],
    [json('redis is down: WRONGPASS invalid username-password pair'), 'redis', 'redis rejected the password'],
    [json('s3 is down: HEAD answered 404: no bucket files'), 's3', 's3 has no bucket files'],
    [json('redis is down: connect ECONNREFUSED 10.96.0.6:6379'), 'redis', 'connection to redis refused'],
    [json('redis is down: no answer within 2000 ms'), 'redis', 'redis does not respond'],
    [
      json('postgres is down: getaddrinfo EAI_AGAIN postgres'),
      'dns',
      'host name postgres cannot be resolved',
    ],
    [json('user-service is down: 500 Internal Server Error'), 'user-service', 'user-service is unavailable'],
    // Go: pgx, go-redis, net.
    [
      'FATAL: password authentication failed for user "chat" (SQLSTATE 28P01)',
      'postgres',
      'postgres rejected the password of role chat',
    ],
    ['dial tcp 10.96.0.5:5432: connect: connection refused', 'postgres', 'connection to postgres refused'],
    ['dial tcp 10.96.0.6:6379: i/o timeout', 'redis', 'redis does not respond'],
    [
      'dial tcp: lookup redis on 10.96.0.10:53: server misbehaving',
      'dns',
      'host name redis cannot be resolved',
    ],
    // Java: Spring, the JDBC driver, Lettuce.
    [
      'Connection to postgres:5432 refused. Check that the hostname and port are correct',
      'postgres',
      'connection to postgres refused',
    ],
    ['Caused by: java.net.UnknownHostException: postgres', 'dns', 'host name postgres cannot be resolved'],
    ['FATAL: sorry, too many clients already', 'postgres', 'postgres has no free connections'],
    ['write /data/x: no space left on device', 'disk', 'disk is full'],
    // Migrations: golang-migrate, Flyway.
    [
      'error: Dirty database version 3. Fix and force version.',
      'migration',
      'migration to version 3 failed in the middle',
    ],
    [
      'Validate failed: Migrations have failed validation. Detected failed migration to version 2.1 (add boards).',
      'migration',
      'migration to version 2.1 failed in the middle',
    ],
    [
      'the data are of PostgreSQL 15, and this image is PostgreSQL 17: go back to the previous image',
      'data',
      'the data are of PostgreSQL 15, which is not that of the image',
    ],
  ])('%s', (line, about, says) => {
    expect(findClues(`starting\n${line}\n`, neighbours)).toMatchObject([{ about, line: says }]);
  });
});

test('the newest error about each neighbour counts, the newest of all first', () => {
  const log = [
    json('postgres is down: connect ECONNREFUSED 10.96.0.5:5432'),
    json('redis is down: connect ECONNREFUSED 10.96.0.6:6379'),
    json('postgres is down: database "board" does not exist'),
  ].join('\n');
  expect(findClues(log, neighbours).map(({ line }) => line)).toEqual([
    'database board does not exist in postgres',
    'connection to redis refused',
  ]);
});

test('an error that was resolved since does not count', () => {
  const log = [json('redis is down: connect ECONNREFUSED 10.96.0.6:6379'), json('redis is up')].join('\n');
  expect(findClues(log, neighbours)).toEqual([]);
});

test('other log lines are ignored', () => {
  const log =
    'listening on 8080\n{"broken": \nError: the moon is in the wrong phase\ndial tcp 192.0.2.1:443: i/o timeout\n';
  expect(findClues(log, neighbours)).toEqual([]);
});
