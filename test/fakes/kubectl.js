#!/usr/bin/env node
// kubectl for a fake cluster, whose state is the folder of its kubeconfig:
//   objects.json             the response of `get`
//   <name>.json              the response of `get namespace <name>`
//   logs/<pod>.<container>   the output of `logs`; <pod>.<container>.previous with --previous
//   calls                    the arguments of every call, one JSON line each
//   down                     while this file exists, the cluster does not respond
// `config view` reads the kubeconfigs themselves; its calls are recorded beside the first one.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const argv = process.argv.slice(2);
const flag = (name) => argv.find((arg) => arg.startsWith(`--${name}=`))?.split('=', 2)[1];
const [verb, ...words] = argv.filter((arg) => !arg.startsWith('-'));
const cluster = dirname(flag('kubeconfig') ?? process.env.KUBECONFIG.split(':')[0]);
appendFileSync(join(cluster, 'calls'), `${JSON.stringify(argv)}\n`);

if (existsSync(join(cluster, 'down'))) {
  process.stderr.write('The connection to the server 127.0.0.1:6443 was refused\n');
  process.exit(1);
}
await { get, logs, config: viewConfig }[verb]();

/** `config view --minify --flatten --raw --output=json`: of two entries of one name the first counts. */
async function viewConfig() {
  const { parse } = await import('yaml');
  const files = process.env.KUBECONFIG.split(':').filter(existsSync).map(read);
  const find = (list, kind, name) => {
    const all = files.flatMap(({ folder, config }) =>
      (config[list] ?? []).map((entry) => ({ folder, entry })),
    );
    return all.find(({ entry }) => entry.name === name) ?? fail(`cannot locate ${kind} ${name}`);
  };
  const inline = ({ folder, entry }, key, names) => {
    const value = { ...entry[key] };
    for (const name of names.filter((each) => value[each] !== undefined)) {
      const path = resolve(folder, value[name]);
      if (!existsSync(path)) fail(`open ${path}: no such file or directory`);
      value[`${name}-data`] = readFileSync(path).toString('base64');
      delete value[name];
    }
    return { ...entry, [key]: value };
  };
  const name = flag('context');
  const context = find('contexts', 'context', name).entry;
  const cluster = find('clusters', 'cluster', context.context.cluster);
  const user = find('users', 'user', context.context.user);
  const view = {
    kind: 'Config',
    apiVersion: 'v1',
    clusters: [inline(cluster, 'cluster', ['certificate-authority'])],
    users: [inline(user, 'user', ['client-certificate', 'client-key'])],
    contexts: [context],
    'current-context': name,
  };
  process.stdout.write(JSON.stringify(view));

  function read(path) {
    const folder = dirname(path);
    try {
      const config = parse(readFileSync(path, 'utf8')) ?? {};
      if (Array.isArray(config.contexts ?? [])) return { folder, config };
    } catch {
      fail(`error loading config file "${path}": yaml: line 1: did not find expected ',' or '}'`);
    }
    const why = 'json: cannot unmarshal bool into Go struct field Config.contexts of type []v1.NamedContext';
    return fail(`error loading config file "${path}": ${why}`);
  }

  function fail(message) {
    process.stderr.write(`error: ${message}\n`);
    process.exit(1);
  }
}

function get() {
  if (words[0] === 'namespace') {
    process.stdout.write(readFileSync(join(cluster, `${words[1]}.json`), 'utf8'));
    return;
  }
  process.stdout.write(
    JSON.stringify({ items: JSON.parse(readFileSync(join(cluster, 'objects.json'), 'utf8')) }),
  );
}

function logs() {
  const [pod] = words;
  const previous = argv.includes('--previous') ? '.previous' : '';
  const file = join(cluster, 'logs', `${pod}.${flag('container')}${previous}`);
  if (!existsSync(file)) {
    process.stderr.write(`Error from server (NotFound): pods "${pod}" not found\n`);
    process.exit(1);
  }
  const tail = Number(flag('tail') ?? -1);
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const shown = tail < 0 ? lines : lines.slice(Math.max(0, lines.length - tail));
  process.stdout.write(shown.map((line) => `${line}\n`).join(''));
}
