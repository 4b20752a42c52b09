#!/usr/bin/env node
// kubectl on a cluster that is a folder: the one its --kubeconfig is in.
//   objects.json             what `get` answers
//   <name>.json              what `get namespace <name>` answers
//   logs/<pod>.<container>   what `logs` prints, one line a line, with their times; with --follow what is appended, too;
//                            <pod>.<container>.previous with --previous
//   forwards/<pod>           the port on 127.0.0.1 that `port-forward` leads to
//   calls                    every call's arguments, one JSON line each
// `config view` reads the kubeconfigs themselves, and calls are beside the first.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';

const argv = process.argv.slice(2);
const flag = (name) => argv.find((arg) => arg.startsWith(`--${name}=`))?.split('=', 2)[1];
const has = (name) => argv.includes(`--${name}`);
const [verb, ...words] = argv.filter((arg) => !arg.startsWith('-'));
const cluster = dirname(flag('kubeconfig') ?? process.env.KUBECONFIG.split(':')[0]);
appendFileSync(join(cluster, 'calls'), `${JSON.stringify(argv)}\n`);

if (existsSync(join(cluster, 'down'))) {
  process.stderr.write('The connection to the server 127.0.0.1:6443 was refused\n');
  process.exit(1);
}
await { get, logs, 'port-forward': portForward, config: viewConfig }[verb]();

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
  const name = `${pod}.${flag('container')}${has('previous') ? '.previous' : ''}`;
  const file = join(cluster, 'logs', name);
  if (!existsSync(file)) {
    process.stderr.write(`Error from server (NotFound): pods "${pod}" not found\n`);
    process.exit(1);
  }
  const since = flag('since-time');
  const tail = Number(flag('tail') ?? -1);
  let printed = 0;
  print(true);
  if (!has('follow')) return;
  const timer = setInterval(() => {
    // The container ended: `logs --follow` ends with it.
    if (existsSync(`${file}.ended`) || !existsSync(file)) {
      print(false);
      clearInterval(timer);
      return;
    }
    print(false);
  }, 10);

  function print(isFirst) {
    if (!existsSync(file)) return;
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    // To the second, as the API server compares.
    const wanted = lines.filter((line) => since === undefined || line.slice(0, 19) >= since.slice(0, 19));
    const from = isFirst && tail >= 0 ? Math.max(0, wanted.length - tail) : printed;
    for (const line of wanted.slice(from)) process.stdout.write(`${line}\n`);
    printed = wanted.length;
  }
}

function portForward() {
  const [target, ports] = words;
  const pod = target.replace(/^pod\//, '');
  const file = join(cluster, 'forwards', pod);
  if (!existsSync(file)) {
    process.stderr.write(`Error from server (NotFound): pods "${pod}" not found\n`);
    process.exit(1);
  }
  const [, remote] = ports.split(':');
  const server = createServer((near) => {
    // As kubectl does, the first connection after the pod is gone ends the whole.
    if (!existsSync(file)) {
      process.stderr.write('error: lost connection to pod\n');
      process.exit(1);
    }
    const far = connect(Number(readFileSync(file, 'utf8')), '127.0.0.1');
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`Forwarding from 127.0.0.1:${server.address().port} -> ${remote}\n`);
  });
}
