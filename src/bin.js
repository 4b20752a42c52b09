#!/usr/bin/env node
import './umask.js';
import './install-dependencies.js';
import { pathToFileURL } from 'node:url';
import { compile } from './compile.js';

process.setSourceMapsEnabled(true);
await import(await findProgram());

/** Falls back to the sources, which start half a second slower, if the compiled program cannot be written. */
async function findProgram() {
  try {
    return pathToFileURL(await compile()).href;
  } catch (error) {
    if (!error.code) throw error;
    if (!process.features.typescript) (await import('tsx/esm/api')).register();
    return './main.ts';
  }
}
