import { expect, test } from 'vitest';
import { findProgram } from '../../src/debug/find-program.ts';
import { toLaunchConfigurations } from '../../src/debug/launch-configuration.ts';

const program = { service: 'auth-service', localPort: 5006, source: '/src/auth', folder: '/app' } as const;

test('Node.js: the folders of source and container are mapped', () => {
  const { vscode, jetbrains, delve } = toLaunchConfigurations({ ...program, runtime: 'node' });
  expect(vscode).toMatchObject({
    ...{ type: 'node', request: 'attach', address: '127.0.0.1', port: 5006 },
    ...{ localRoot: '/src/auth', remoteRoot: '/app', restart: true },
  });
  expect(jetbrains).toContain('type="ChromiumRemoteDebugType"');
  expect(delve).toBeUndefined();
});

test('JVM', () => {
  const { vscode, jetbrains } = toLaunchConfigurations({ ...program, runtime: 'jvm' });
  expect(vscode).toMatchObject({ type: 'java', request: 'attach', hostName: '127.0.0.1', port: 5006 });
  expect(jetbrains).toContain('<option name="PORT" value="5006" />');
});

test('Go: VS Code, GoLand and Delve itself', () => {
  const { vscode, jetbrains, delve } = toLaunchConfigurations({ ...program, runtime: 'go' });
  expect(vscode).toMatchObject({ type: 'go', mode: 'remote', host: '127.0.0.1', port: 5006 });
  expect(jetbrains).toContain('port="5006"');
  expect(delve).toBe('dlv connect 127.0.0.1:5006');
});

const makeProgram = (runtime: 'node' | 'jvm' | 'go' | 'other', pid: number, listens = false) => ({
  ...{
    nodePid: pid,
    pid,
    user: 1,
    group: 1,
    listens,
    runtime,
    folder: '/app',
    executable: `/bin/${runtime}`,
  },
});

test.each([
  [
    'the one that listens, and not npm that has started it',
    [makeProgram('node', 1), makeProgram('node', 7, true)],
    7,
  ],
  [
    'the last one of a known kind, before anything listens',
    [makeProgram('other', 1), makeProgram('go', 8)],
    8,
  ],
  ['a shell, if there is nothing else', [makeProgram('other', 1)], 1],
] as const)('the program that a debugger is for: %s', (_, programs, pid) => {
  expect(findProgram(programs)?.pid).toBe(pid);
});
