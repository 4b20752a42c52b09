// Installs the npm dependencies when they are missing or differ from package-lock.json.
// It runs before anything is installed and on a Node that may be too old: plain JavaScript, Node's built-ins only.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
const stateFolder = join(checkout, '.wealist');
const hostExitCode = 3;

requireNode();
if (!isInstalled(join(checkout, 'node_modules'))) install();

/** Requires the versions under `engines` in package.json. */
function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major >= 24 || (major === 22 && minor >= 13) || (major === 20 && minor >= 19)) return;
  fail(
    `Node ${process.versions.node} is not supported; supported are 20.19+, 22.13+ and 24+`,
    'nvm install 24',
  );
}

/** Compares npm's record of installed packages with package-lock.json; optional ones for other systems may be missing. */
function isInstalled(folder) {
  const installed = readPackages(join(folder, '.package-lock.json'));
  const wanted = readPackages(join(checkout, 'package-lock.json'));
  return (
    Object.entries(installed).every(([path, entry]) => isSame(entry, wanted[path])) &&
    Object.entries(wanted).every(([path, { optional }]) => path === '' || optional || path in installed)
  );
}

function isSame(one, other) {
  return other !== undefined && one.version === other.version && one.integrity === other.integrity;
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return {};
    throw error;
  }
}

/**
 * Installs into another folder and moves the result to node_modules when it is complete. So an interrupted install leaves
 * the previous packages, and two installs at the same time do not remove each other's files.
 */
function install() {
  process.stderr.write('Installing the npm dependencies\n');
  removeLeftovers();
  const folder = join(stateFolder, `install-${process.pid}`);
  let failure;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const file of ['package.json', 'package-lock.json', '.npmrc']) {
      if (existsSync(join(checkout, file))) copyFileSync(join(checkout, file), join(folder, file));
    }
    runNpm(folder);
    putInPlace(folder);
  } catch (error) {
    failure = error;
  }
  rmSync(folder, { recursive: true, force: true });
  if (failure) fail(`the npm dependencies could not be installed: ${failure.message}`, 'npm ci');
}

function runNpm(folder) {
  // npm passes its own flags on in the environment; those that would prevent the install are overridden.
  const args = [
    'ci',
    '--include=dev',
    '--include=optional',
    '--no-dry-run',
    '--no-package-lock-only',
    '--no-global',
    // The checkout's .npmrc hides all of npm's messages.
    '--loglevel=notice',
  ];
  const npm = process.env.npm_execpath;
  const [program, first] = npm?.endsWith('npm-cli.js') ? [process.execPath, [npm]] : ['npm', []];
  // npm's stdout goes to stderr, since stdout is for the result of the command that follows.
  const { error, status, signal } = spawnSync(program, [...first, ...args], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`npm ci ended with ${signal ?? `exit code ${status}`}`);
}

function putInPlace(folder) {
  const target = join(checkout, 'node_modules');
  // Retries until the packages are in place, since another run may replace the folder at any moment.
  for (let attempt = 1; !isInstalled(target); attempt++) {
    try {
      if (existsSync(target)) renameSync(target, join(folder, `replaced-${attempt}`));
      renameSync(join(folder, 'node_modules'), target);
    } catch (error) {
      if (attempt === 10 || !['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error;
    }
  }
}

/** Removes leftovers of killed runs. */
function removeLeftovers() {
  if (!existsSync(stateFolder)) return;
  for (const name of readdirSync(stateFolder)) {
    const pid = /^install-(\d+)$/.exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) rmSync(join(stateFolder, name), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function fail(message, fix) {
  process.stderr.write(`✗ ${message}\n  fix      ${fix}\n`);
  process.exit(hostExitCode);
}
