import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A line to type after this text has appeared. */
export interface Typing {
  readonly after: string;
  readonly line: string;
}

/**
 * Runs a command on its own pseudo-terminal, created by `script` (util-linux), and types into it. Resolves to the whole
 * output and the exit code.
 */
export async function runOnTerminal(
  words: readonly string[],
  typings: readonly Typing[],
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<{ readonly shown: string; readonly exitCode: number | null }> {
  const line = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const options = ['--quiet', '--return', '--flush', '--command', line, '/dev/null'];
  const child = spawn('script', options, {
    cwd,
    env: { ...env, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const waiting = [...typings];
  let shown = '';
  let seen = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    const [next] = waiting;
    const at = next ? shown.indexOf(next.after, seen) : -1;
    if (!next || at === -1) return;
    seen = at + next.after.length;
    waiting.shift();
    child.stdin.write(`${next.line}\r`);
  });
  const [exitCode] = await once(child, 'close');
  return { shown, exitCode };
}
