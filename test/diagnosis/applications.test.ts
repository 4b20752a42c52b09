import { expect, test } from 'vitest';
import { type Application, judgeApplication } from '../../src/diagnosis/applications.ts';

const revision = 'abcdef0123456789';
const at = { namespace: 'argocd', revision };

function judge(status: Application['status'], metadata: Partial<Application['metadata']> = {}) {
  const application = { metadata: { name: 'user-service', ...metadata }, ...(status ? { status } : {}) };
  return judgeApplication('user-service', application, at);
}

const synced = { status: 'Synced', revision };
const healthy = { status: 'Healthy' };

test('an Application is ready when it is synced to the commit and healthy', () => {
  expect(judge({ sync: synced, health: healthy })).toEqual({
    state: 'ready',
    line: 'user-service: synced and healthy',
  });
});

test.each<[string, Application['status'], Partial<Application['metadata']>, string]>([
  ['its status is unknown', undefined, {}, 'out of sync'],
  [
    'it is at an older commit',
    { sync: { ...synced, revision: '1234567890' }, health: healthy },
    {},
    'at commit 1234567',
  ],
  [
    'a refresh was requested',
    { sync: synced, health: healthy },
    { annotations: { 'argocd.argoproj.io/refresh': 'normal' } },
    'refreshing',
  ],
  [
    'it is being deleted',
    { sync: synced, health: healthy },
    { deletionTimestamp: '2026-01-01T00:00:00Z' },
    'being deleted',
  ],
  ['its workloads are starting', { sync: synced, health: { status: 'Progressing' } }, {}, 'progressing'],
  [
    'a sync is running',
    {
      sync: { status: 'OutOfSync', revision },
      operationState: { phase: 'Running', message: 'waiting for wave 1' },
    },
    {},
    'waiting for wave 1',
  ],
])('waits while %s', (_, status, metadata, line) => {
  expect(judge(status, metadata)).toEqual({ state: 'waiting', line: `user-service: ${line}` });
});

test('an Application that does not exist is waited for: another Application creates it', () => {
  expect(judgeApplication('user-service', undefined, at)).toEqual({
    state: 'waiting',
    line: 'user-service: not created yet',
  });
});

test.each<[string, Application['status'], string, string | undefined]>([
  [
    'it cannot be rendered',
    {
      conditions: [{ type: 'ComparisonError', message: 'helm template failed' }],
      sync: { status: 'Unknown' },
    },
    'ComparisonError',
    'helm template failed',
  ],
  [
    'the sync failed',
    {
      sync: { status: 'OutOfSync', revision },
      operationState: { phase: 'Failed', message: 'namespaces "x" not found' },
    },
    'sync failed',
    'namespaces "x" not found',
  ],
  [
    'the sync is retried',
    {
      sync: { status: 'OutOfSync', revision },
      operationState: { phase: 'Running', retryCount: 1, message: 'forbidden' },
    },
    'sync failed',
    'forbidden',
  ],
  [
    'it is degraded',
    { sync: synced, health: { status: 'Degraded', message: 'crashed' } },
    'degraded',
    'crashed',
  ],
])('reports why when %s', (_, status, line, evidence) => {
  expect(judge(status)).toEqual({
    state: 'failed',
    line: `user-service: ${line}`,
    evidence,
    next: 'npm run kubectl -- -n argocd describe application user-service',
  });
});

test('a previous failed sync is not a failure once the Application is synced', () => {
  expect(judge({ sync: synced, health: healthy, operationState: { phase: 'Failed' } }).state).toBe('ready');
});
