#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 15)) {
  process.stderr.write(`ocits needs Node 22.15 or newer, and this is ${process.versions.node}\n`);
  process.exit(1);
}
enableCompileCache();
await import('../dist/main.js');
