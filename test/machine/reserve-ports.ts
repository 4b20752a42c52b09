// A process for the tests of reservations: reserves ports in argv's cache, prints them, and ends when its stdin ends.
import { reservePorts } from '../../src/machine/port-reservation.ts';

const [cache = ''] = process.argv.slice(2);
const { signal } = new AbortController();
const pair = await reservePorts({ http: 80, https: 443 }, { cache, signal, probe: async () => 'free' });
process.stdout.write(`${pair.http} ${pair.https}\n`);
for await (const _ of process.stdin);
