/**
 * One part of a pull by itself, for the clock: `node bench/pull-part.ts fetch|unpack|pull ROOT IMAGE`. `unpack` wants
 * what `fetch` has left in ROOT. Prints the seconds that it took.
 */
import { join } from 'node:path';
import { openCall } from '../src/call.ts';
import { pullImage } from '../src/image/transfer/pull-image.ts';
import { unpackImage } from '../src/image/transfer/unpack.ts';
import { exactName, parseReference } from '../src/oci/reference.ts';
import { openEngine } from '../src/open-engine.ts';

const [part, folder, name] = process.argv.slice(2) as ['fetch' | 'unpack' | 'pull', string, string];
await using engine = openEngine({ paths: { root: join(folder, 'root'), run: join(folder, 'run') } });
const call = openCall('pull');
const request = {
  reference: exactName(parseReference(name)),
  policy: part === 'unpack' ? 'never' : 'always',
  depth: part === 'pull' ? 'unpacked' : 'layers',
} as const;
await Promise.all([engine.store(), engine.snapshotter(), engine.registry()]);
const started = performance.now();
const { image } = await pullImage(engine, call, request);
if (part === 'unpack') await unpackImage(engine, call, image);
console.log((performance.now() - started) / 1000);
