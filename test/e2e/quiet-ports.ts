import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { probePort } from '../../src/tools/port-probe.ts';
import type { Checkout } from './checkout.ts';

/**
 * Gives the checkout's next cluster ports that other programs seldom take. Those of a stopped cluster are fixed, and while
 * it is stopped any program may take them, which `up` then rightly reports. Resolves to the file that says so.
 */
export async function useQuietPorts({ root }: Checkout): Promise<string> {
  const file = join(root, 'env/local.yaml');
  for (;;) {
    const port = 20_000 + 2 * Math.floor(Math.random() * 5_000);
    const states = await Promise.all([port, port + 1].map((each) => probePort(each)));
    if (states.some((state) => state !== 'free')) continue;
    await writeFile(file, `cluster: { httpPort: ${port}, httpsPort: ${port + 1} }\n`);
    return file;
  }
}
