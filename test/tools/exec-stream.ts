// A process for the tests of exec: copies argv's first file to its second through two programs, one that writes to a
// file and one that reads from it, and prints how many bytes its memory has grown by at most.
import { exec } from '../../src/tools/exec.ts';

const [source = '', copy = ''] = process.argv.slice(2);
// What the first programs load is no part of the growth.
await exec('true', []);
const before = process.memoryUsage.rss();
await exec('cat', [source], { outputFile: copy });
const { stdout } = await exec('sha256sum', [], { inputFile: copy });
const growth = process.resourceUsage().maxRSS * 1024 - before;
process.stdout.write(JSON.stringify({ growth, sha256: stdout.split(' ')[0] }));
