// An npm for the tests of install-dependencies.js: takes the lock file of its folder as installed, or fails.
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

appendFileSync(process.env.NPM_CALLS, `${process.argv.slice(2).join(' ')}\n`);
process.stdout.write('added 1 package\n');
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
delete packages[''];
mkdirSync('node_modules/left-pad', { recursive: true });
writeFileSync('node_modules/left-pad/index.js', '');
if (process.env.NPM_FAILS) process.exit(1);
writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }));
