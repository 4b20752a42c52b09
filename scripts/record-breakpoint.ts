// A click on the page stops board-service, which runs on this machine under its debugger. Needs `npm run up` and Chromium. For
// the README: node --import tsx scripts/terminal-picture.ts --out docs/breakpoint.svg -- node --import tsx scripts/record-breakpoint.ts
import { $, chalk, sleep } from 'zx';
import { findChromium, launchChromium } from '../test/e2e/chromium.ts';
import { connectInspector, setBreakpoint } from '../test/e2e/inspector-client.ts';

const inspector = '127.0.0.1:9230';
const program = ['node', `--inspect=${inspector}`, '--import', 'tsx', 'main.ts'];

const chromium = await findChromium();
if (chromium === undefined) throw new Error('there is no Chromium on PATH or in $CHROMIUM');
const { stdout } = await $({ quiet: true })`npm run --silent status -- --json`;
const url: string = JSON.parse(stdout).ingress.url;

say(`$ npm run intercept -- board-service --port 8900 -- ${program.join(' ')}`);
const intercept = $({
  quiet: true,
})`npm run --silent intercept -- board-service --port 8900 -- ${program}`.nothrow();
let said = '';
for (const stream of [intercept.stdout, intercept.stderr]) {
  stream.on('data', (chunk) => {
    said += chunk;
  });
}
try {
  while (!said.includes('is served by')) await sleep(100);
  say('board-service is served by 127.0.0.1:8900 until Ctrl-C');

  const browser = await launchChromium(chromium);
  const page = await browser.newPage();
  await page.goto(url);
  await page.getByText('All 8 services are ready').waitFor();
  note('page', 'All 8 services are ready');
  await page.getByText('Pause updates').click();
  // Requests that are on their way end.
  await sleep(4_000);

  const debug = await connectInspector(inspector);
  await setBreakpoint(debug, { script: 'standard-routes.ts', text: 'monitor.states()' });
  note('debugger', 'breakpoint in services/common/standard-routes.ts, at monitor.states()');
  await page.getByText('Resume updates').click();
  note('page', 'click on "Resume updates"');

  const { callFrames } = await debug.next('Debugger.paused');
  const [frame] = callFrames as readonly { readonly callFrameId: string; readonly functionName: string }[];
  note('debugger', `board-service has stopped in ${frame?.functionName}()`);
  const expression = 'JSON.stringify(monitor.states().map(({ name, state }) => name + " " + state))';
  const { result } = await debug.send('Debugger.evaluateOnCallFrame', {
    callFrameId: frame?.callFrameId,
    expression,
  });
  note('debugger', `monitor.states() is ${(result as { readonly value: string }).value}`);
  await debug.send('Debugger.disable');
  debug.close();
  await page.getByText('All 8 services are ready').waitFor();
  note('page', 'All 8 services are ready');
  await browser.close();
} finally {
  await intercept.kill('SIGINT');
  await intercept;
}
say('board-service is served by its pods again');

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function note(who: string, text: string): void {
  process.stdout.write(`${chalk.cyan(who.padEnd(9))} ${text}\n`);
}
