import type { ContainerProgram } from '../tools/docker/container-programs.ts';

/** How debuggers attach to a program behind a port of this machine. */
export interface LaunchConfigurations {
  /** One entry of `configurations` in `.vscode/launch.json`. */
  readonly vscode: Readonly<Record<string, unknown>>;
  /** A file in `.run` of a JetBrains project. */
  readonly jetbrains: string;
  /** A command line of Delve, for Go. */
  readonly delve?: string;
}

export interface DebuggedProgram extends Pick<ContainerProgram, 'folder'> {
  readonly service: string;
  readonly runtime: 'node' | 'jvm' | 'go';
  readonly localPort: number;
  /** Folder of the service's source on this machine. */
  readonly source: string;
}

const host = '127.0.0.1';

/** What VS Code, JetBrains' IDEs and Delve need to attach. */
export function toLaunchConfigurations(program: DebuggedProgram): LaunchConfigurations {
  const { service, runtime, localPort: port, source, folder } = program;
  const vscode = { name: `${service} (pod)`, request: 'attach' };
  const name = `name="${service} (pod)"`;
  switch (runtime) {
    case 'node':
      return {
        // It attaches again to the next pod.
        vscode: {
          ...{ ...vscode, type: 'node', address: host, port, restart: true },
          ...{ localRoot: source, remoteRoot: folder, skipFiles: ['<node_internals>/**'] },
        },
        jetbrains: toRunFile(
          `${name} type="ChromiumRemoteDebugType" factoryName="Chromium Remote" host="${host}" port="${port}" restartOnDisconnect="true"`,
        ),
      };
    case 'jvm':
      return {
        vscode: { ...vscode, type: 'java', hostName: host, port },
        jetbrains: toRunFile(`${name} type="Remote"`, [
          '<option name="USE_SOCKET_TRANSPORT" value="true" />',
          '<option name="SERVER_MODE" value="false" />',
          `<option name="HOST" value="${host}" />`,
          `<option name="PORT" value="${port}" />`,
          '<option name="AUTO_RESTART" value="true" />',
        ]),
      };
    case 'go':
      return {
        vscode: {
          ...{ ...vscode, type: 'go', mode: 'remote', host, port },
          substitutePath: [{ from: source, to: folder }],
        },
        jetbrains: toRunFile(
          `${name} type="GoRemoteDebugConfigurationType" factoryName="Go Remote" host="${host}" port="${port}"`,
          ['<option name="disconnectOption" value="LEAVE" />', '<disconnect value="LEAVE" />'],
        ),
        delve: `dlv connect ${host}:${port}`,
      };
  }
}

function toRunFile(attributes: string, lines: readonly string[] = []): string {
  return [
    '<component name="ProjectRunConfigurationManager">',
    `  <configuration default="false" ${attributes}>`,
    ...[...lines, '<method v="2" />'].map((line) => `    ${line}`),
    '  </configuration>',
    '</component>',
  ].join('\n');
}
