#!/usr/bin/env node
// kubectl on a cluster that is a folder: the one its --kubeconfig is in.
//   objects.json             what `get` answers
//   <name>.json              what `get namespace <name>` answers
//   logs/<pod>.<container>   what `logs` prints, one line a line, with their times; with --follow what is appended, too;
//                            <pod>.<container>.previous with --previous
//   forwards/<pod>           the port on 127.0.0.1 that `port-forward` leads to
//   calls                    every call's arguments, one JSON line each
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';

const argv = process.argv.slice(2);
const flag = (name) => argv.find((arg) => arg.startsWith(`--${name}=`))?.split('=', 2)[1];
const has = (name) => argv.includes(`--${name}`);
const [verb, ...words] = argv.filter((arg) => !arg.startsWith('-'));
const cluster = dirname(flag('kubeconfig') ?? process.env.KUBECONFIG);
appendFileSync(join(cluster, 'calls'), `${JSON.stringify(argv)}\n`);

if (existsSync(join(cluster, 'down'))) {
  process.stderr.write('The connection to the server 127.0.0.1:6443 was refused\n');
  process.exit(1);
}
({ get, logs, 'port-forward': portForward })[verb]();

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
