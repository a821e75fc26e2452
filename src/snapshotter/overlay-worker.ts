import { parentPort } from 'node:worker_threads';
import { unpackToFolder } from './folder-form/unpack-to-folder.ts';
import type { LayerWork } from './layer-work.ts';
import { diffUpper } from './upper/diff-upper.ts';
import { serveWork } from './workers/serve-work.ts';

if (parentPort !== null) serveWork<LayerWork>(parentPort, { unpack: unpackToFolder, diff: diffUpper });
