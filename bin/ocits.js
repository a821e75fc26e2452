#!/usr/bin/env node
// Default imports only, so that an old Node gets as far as the message below.
import module from 'node:module';
import path from 'node:path';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 15)) {
  process.stderr.write(`ocits needs Node 22.15 or newer, and this is ${process.versions.node}\n`);
  process.exit(1);
}
// In the user's own folder: a cache of code in a folder that others can write would let them run theirs.
const { XDG_CACHE_HOME, HOME } = process.env;
const cache = XDG_CACHE_HOME || (HOME && path.join(HOME, '.cache'));
if (cache) module.enableCompileCache(path.join(cache, 'ocits'));
await import('../dist/main.js');
