import { Failure } from '../../src/lib/failure.ts';
import { downloadFile } from '../../src/tools/download.ts';
import { downloadRelease, toolRelease } from '../../src/tools/releases.ts';

/**
 * Downloads `url sha256`, or the release `kind linux amd64`, in a process of its own: Node reads NODE_EXTRA_CA_CERTS when it
 * starts. Prints the content, or the failure, as JSON.
 */
const { signal } = new AbortController();
const args = process.argv.slice(2);
try {
  const [url = '', sha256 = ''] = args;
  const content = url.startsWith('http')
    ? await downloadFile(url, sha256, signal)
    : await downloadRelease(toolRelease('kind', 'linux', args[2] ?? ''), '/dev/null/kind', signal);
  process.stdout.write(JSON.stringify({ content: String(content) }));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  const { message, hint, exitCode, cause } = error;
  process.stdout.write(JSON.stringify({ message, hint, exitCode, cause: String(cause) }));
}
