/** The service of the scenario `live`: it reports what its live folders contain, over HTTP/1 and HTTP/2. */
export const liveProgram = `
const fs = require('node:fs'), http = require('node:http'), http2 = require('node:http2'), net = require('node:net');
const conf = fs.readFileSync('/srv/conf/name', 'utf8').trim();
console.log('started with ' + conf);

function list(folder, below = '') {
  const found = {};
  for (const name of fs.readdirSync(folder)) {
    const path = folder + '/' + name, stat = fs.lstatSync(path);
    if (stat.isSymbolicLink()) found[below + name] = '-> ' + fs.readlinkSync(path);
    else if (stat.isDirectory()) Object.assign(found, { [below + name]: '/' }, list(path, below + name + '/'));
    else found[below + name] = (stat.mode & 0o777).toString(8) + ' ' + fs.readFileSync(path, 'utf8').trim();
  }
  return found;
}

function answer(request, response) {
  if (request.url === '/crash') process.exit(1);
  response.end(JSON.stringify({ conf, pid: process.pid, version: request.httpVersion, files: list('/srv/live') }));
}
const servers = [http.createServer(answer), http2.createServer(answer)];
net.createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', (chunk) => {
    socket.pause();
    socket.unshift(chunk);
    servers[chunk.toString('latin1').startsWith('PRI ') ? 1 : 0].emit('connection', socket);
    process.nextTick(() => socket.resume());
  });
}).listen(8002);
process.on('SIGTERM', () => process.exit(0));
`;

/** The command of a `then`: prints what it has read, and fails for one content. */
export const checkProgram = `
const text = require('node:fs').readFileSync('/srv/data/text', 'utf8').trim();
console.log('checked ' + text);
if (text === 'bad') process.exitCode = 3;
`;

export interface LiveAnswer {
  /** What the program has read at its start. */
  readonly conf: string;
  readonly pid: number;
  /** Of HTTP. */
  readonly version: string;
  /** Path in the live folder → mode and content, target of a link, or `/`. */
  readonly files: Readonly<Record<string, string>>;
}
