// A process for the test of a program that must not stop in the middle: runs it as the swap of databases does.
import { listenForSignals } from '../../src/signals.ts';
import { exec } from '../../src/tools/exec.ts';

const [file = '', timeout = ''] = process.argv.slice(2);
const run = new AbortController();
listenForSignals({
  abort: (reason) => {
    run.abort(reason);
    process.exitCode = reason.exitCode;
  },
  commandLine: 'npm run db restore x',
  force: (exitCode) => process.exit(exitCode),
  debounce: 200,
  timeout: Number(timeout),
  isRunByNpm: false,
});
process.stdout.write('begun\n');
const script = `sleep 1; echo replaced >'${file}'; echo replaced`;
const { stdout } = await exec('sh', ['-c', script], { runsToEnd: true });
process.stdout.write(`${stdout}, ${run.signal.aborted ? 'interrupted' : 'in time'}\n`);
process.exit();
