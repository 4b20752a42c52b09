import { scrubSecrets } from '../lib/secret-values.ts';
import { bundlePage, type PageFiles, toVersion } from './bundle-page.ts';
import type { DashboardState } from './dashboard-state.ts';
import { createTabs, type Tabs, type TabsOptions } from './tabs.ts';
import { isToken } from './token.ts';
import { openWebServer } from './web-server.ts';

export interface ServeOptions extends Pick<TabsOptions, 'onRequest' | 'onCount' | 'token'> {
  /** The checkout whose page is served. */
  readonly checkout: string;
  readonly port: number;
  /** How many ports are tried, beginning with `port`. */
  readonly tried: number;
  readonly state: DashboardState;
  /** The files of the page; bundled from the checkout by default. */
  readonly files?: Promise<PageFiles>;
}

export interface Dashboard {
  readonly tabs: Tabs;
  readonly port: number;
  /** The address that opens it. It holds the token, in a part that browsers send to no server. */
  readonly url: string;
  /** Rejects when the page cannot be bundled; otherwise it stays pending. */
  readonly failed: Promise<never>;
  close(): void;
}

/**
 * Serves the page and its state on 127.0.0.1. The page is bundled meanwhile: its address is known before.
 * @throws {Failure} exit code 4 when no port is free.
 */
export async function serveDashboard({
  checkout,
  token,
  port: wanted,
  tried,
  files = bundlePage(checkout),
  ...options
}: ServeOptions): Promise<Dashboard> {
  const failed = files.then(
    () => new Promise<never>(() => {}),
    (error: unknown) => Promise.reject(error),
  );
  failed.catch(() => {});
  const version = files.then(toVersion);
  version.catch(() => {});
  const tabs = createTabs({ ...options, token, version });
  const server = await openWebServer({
    port: wanted,
    tried,
    files,
    readState: (authorization) =>
      isToken(`Bearer ${token}`, authorization) ? scrubSecrets(JSON.stringify(tabs.state)) : undefined,
    onTab: tabs.accept,
  });
  return {
    tabs,
    port: server.port,
    url: `http://127.0.0.1:${server.port}/#token=${token}`,
    failed,
    close() {
      tabs.close();
      server.close();
    },
  };
}
