#!/usr/bin/env node
// kubectl for a fake cluster, whose state is the folder of its kubeconfig:
//   objects.json             the response of `get`
//   <name>.json              the response of `get namespace <name>`
//   logs/<pod>.<container>   the output of `logs`; <pod>.<container>.previous with --previous
//   calls                    the arguments of every call, one JSON line each
//   down                     while this file exists, the cluster does not respond
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const argv = process.argv.slice(2);
const flag = (name) => argv.find((arg) => arg.startsWith(`--${name}=`))?.split('=', 2)[1];
const [verb, ...words] = argv.filter((arg) => !arg.startsWith('-'));
const cluster = dirname(flag('kubeconfig') ?? process.env.KUBECONFIG);
appendFileSync(join(cluster, 'calls'), `${JSON.stringify(argv)}\n`);

if (existsSync(join(cluster, 'down'))) {
  process.stderr.write('The connection to the server 127.0.0.1:6443 was refused\n');
  process.exit(1);
}
({ get, logs })[verb]();

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
