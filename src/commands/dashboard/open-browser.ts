import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { App } from '../../cli/command.ts';
import { CommandFailure } from '../../lib/failure.ts';
import { writeFileAtomically } from '../../state/atomic-file.ts';

/**
 * Opens an address in the user's browser, through a file of mode 0600: the command line of a browser, which would hold the
 * token, can be read by every user of the machine. Without a browser it says so: the address is printed in any case.
 */
export async function openBrowser(
  { exec, paths, signal, ui }: Pick<App, 'exec' | 'paths' | 'signal' | 'ui'>,
  url: string,
): Promise<void> {
  const file = join(paths.state, 'dashboard.html');
  await writeFileAtomically(file, `<!doctype html><meta http-equiv="refresh" content="0; url=${url}">\n`);
  const programs = process.platform === 'darwin' ? ['open'] : ['wslview', 'xdg-open'];
  for (const program of programs) {
    try {
      await exec(program, [pathToFileURL(file).href], { signal, timeout: 10_000 });
      return;
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
    }
  }
  ui.warn('no browser could be opened: open the address above');
}
