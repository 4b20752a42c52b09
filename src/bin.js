#!/usr/bin/env node
// Node 22.18 and later take TypeScript as it is; an older one gets a loader.
if (!process.features.typescript) (await import('tsx/esm/api')).register();
await import('./main.ts');
