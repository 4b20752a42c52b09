// A process for the tests of signals. On the first signal it prints why and ends, or with `stubborn` continues.
import { spawn } from 'node:child_process';
import { listenForSignals } from '../src/signals.ts';

const [how = '', timeout = '', parent = ''] = process.argv.slice(2);
const program = spawn('sleep', ['60'], { stdio: 'ignore', detached: true });
const alive = setInterval(() => {}, 1_000);

listenForSignals({
  abort({ message, hint, exitCode }) {
    process.stdout.write(`${message}; ${hint}\n`);
    if (how === 'stubborn') return;
    clearInterval(alive);
    program.kill();
    process.exitCode = exitCode;
  },
  commandLine: 'npm run up',
  force: (exitCode) => process.exit(exitCode),
  debounce: 300,
  timeout: Number(timeout),
  isRunByNpm: parent === 'npm',
});
process.stdout.write(`${program.pid}\n`);
