#!/usr/bin/env node
// In a checkout the sources run as they are; in an installed package the built JavaScript does.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const sources = new URL('../cli/main.ts', import.meta.url);
const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  process.stderr.write(
    `iotmano needs Node.js 24 or newer; this is ${process.version}. Run it with npx, or install Node.js 24.\n`,
  );
  process.exit(2);
}
const isCheckout = existsSync(sources);
// Stripping types takes half of the start.
if (isCheckout)
  module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/node', import.meta.url)));
await import(isCheckout ? sources.href : new URL('../dist/cli/main.js', import.meta.url).href);
