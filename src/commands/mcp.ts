import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type App, defineCommand } from '../cli/command.ts';
import { exitCodes, Failure } from '../lib/failure.ts';
import { findChosenEnvironment } from '../state/chosen-environment.ts';
import { isLocal } from './context/environment.ts';
import { hideClusterSecrets } from './context/secrets.ts';

/** Milliseconds within which each tool answers; the usual client gives up after 60 s. */
const limit = 45_000;

export const command = defineCommand({
  description:
    'Serves status, why, logs, plan, doctor, runs, reload and up to a coding agent, over the Model Context Protocol on stdin and stdout. `.mcp.json` registers it with agents that read that file. It runs the same commands as a user, without --yes: what needs confirmation is refused, and left to a person. There is no tool that deletes anything or runs commands in a pod.',
  options: {
    readOnly: { summary: 'without the tools reload and up' },
    allowEnv: { summary: 'let the tools that read take any environment, also a remote one' },
  },
  examples: ['node src/bin.js mcp', 'node src/bin.js mcp --read-only'],
  onlyPrints: true,

  async run(app, { readOnly, allowEnv }) {
    const [{ serveStdio }, { createServer }, { createRunCli }, { createAgentRuns }] = await Promise.all([
      import('@modelcontextprotocol/server/stdio'),
      import('./mcp/serve.ts'),
      import('./mcp/run-cli.ts'),
      import('./mcp/agent-runs.ts'),
    ]);
    const ended = new AbortController();
    const cli = createRunCli(app);
    const runs = createAgentRuns(cli, AbortSignal.any([app.signal, ended.signal]));
    const options = {
      ...{ cli, runs, limit, readOnly, allowsEnv: allowEnv, paths: app.paths },
      version: await readVersion(app),
      toEnvironment: (wanted: string | undefined) => toEnvironment(app, wanted, allowEnv),
      hideSecrets: async () => hideClusterSecrets(app, await app.environment()),
    };
    const closed = new Promise<void>((resolve) => {
      process.stdin.once('end', resolve).once('close', resolve);
      app.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const handle = serveStdio(() => createServer(options), {
      onerror: (error) => app.ui.detail(error.message),
    });
    await closed;
    // As with a closed terminal: what still runs ends in order, and the next run continues it.
    ended.abort();
    await runs.idle();
    await handle.close();
  },
});

/**
 * The option that names the environment that a command reads.
 * @throws {Failure} exit code 9 for a remote one, unless all are allowed.
 */
async function toEnvironment(
  app: App,
  wanted: string | undefined,
  allowsEnv: boolean,
): Promise<readonly string[]> {
  const name = wanted ?? (await findChosenEnvironment(app.paths));
  if (!allowsEnv && !isLocal(await app.environment({ name }))) {
    throw new Failure(`environment ${name} is remote, and this server reads only local ones`, {
      hint: 'a person has to run: npm run env use local-kind',
      exitCode: exitCodes.refused,
    });
  }
  return [`--env=${name}`];
}

async function readVersion({ paths }: Pick<App, 'paths'>): Promise<string> {
  return JSON.parse(await readFile(join(paths.checkout, 'package.json'), 'utf8')).version;
}
