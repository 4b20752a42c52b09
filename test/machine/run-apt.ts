// A process for the tests of an interrupted installation: runs apt-get as `up` does.
import { createRoot } from '../../src/machine/changes/root.ts';
import { runToEnd } from '../../src/machine/changes/run-to-end.ts';
import { readHost } from '../../src/machine/host.ts';
import { listenForSignals } from '../../src/signals.ts';
import { aptFailures } from '../../src/tools/debian.ts';
import { exec } from '../../src/tools/exec.ts';

const run = new AbortController();
listenForSignals({
  abort: (reason) => {
    run.abort(reason);
    process.exitCode = reason.exitCode;
  },
  commandLine: 'npm run up',
  force: (exitCode) => process.exit(exitCode),
  debounce: 200,
  timeout: Number(process.argv[2]),
  isRunByNpm: false,
});
await runToEnd(createRoot(await readHost({ uid: 0 }), exec), 'apt-get', ['install'], {
  env: {},
  failures: aptFailures,
  signal: run.signal,
  report: (line) => process.stdout.write(`${line}\n`),
});
process.exit();
