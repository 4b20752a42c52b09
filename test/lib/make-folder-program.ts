// A process for the test of a full disk: makes the folder of its argument and prints why that failed.
import { makeFolder } from '../../src/lib/make-folder.ts';

try {
  await makeFolder(process.argv[2] ?? '');
} catch (error) {
  const { code, path } = error as NodeJS.ErrnoException;
  process.stdout.write(`${code} ${path}`);
}
