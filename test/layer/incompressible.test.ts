import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { findRuns } from '../../src/layer/compress/incompressible.ts';

const KIB = 1024;

function noise(length: number): Buffer {
  const parts = Array.from({ length: Math.ceil(length / 64) }, (_, i) =>
    createHash('sha512').update(`${i}`).digest(),
  );
  return Buffer.concat(parts).subarray(0, length);
}

const text = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `line ${i} of a text\n`).join(''));
const show = (block: Buffer) =>
  findRuns(block).map(
    ({ start, end, isIncompressible }) => `${start / KIB}-${end / KIB}${isIncompressible ? '!' : ''}`,
  );

test.each([
  ['nothing', Buffer.alloc(0), []],
  ['a byte', Buffer.alloc(1), ['0-0.0009765625']],
  ['zeros', Buffer.alloc(1024 * KIB), ['0-1024']],
  ['text', text.subarray(0, 256 * KIB), ['0-256']],
  ['noise', noise(1024 * KIB), ['0-1024!']],
  ['what gzip made', gzipSync(noise(300 * KIB).toString('base64')).subarray(0, 256 * KIB), ['0-256!']],
  ['base64 of noise', Buffer.from(noise(192 * KIB).toString('base64')), ['0-256']],
  [
    'a table of all bytes',
    Buffer.alloc(256 * KIB, Buffer.from(Array.from({ length: 256 }, (_, i) => i))),
    ['0-256'],
  ],
  ['a short pattern of noise', Buffer.alloc(256 * KIB, noise(700)), ['0-256']],
  ['too little noise', Buffer.concat([text.subarray(0, 64 * KIB), noise(63 * KIB)]), ['0-127']],
  [
    'noise in text',
    Buffer.concat([text.subarray(0, 96 * KIB), noise(100 * KIB), text.subarray(0, 60 * KIB)]),
    ['0-96', '96-192!', '192-256'],
  ],
  ['noise at the end', Buffer.concat([text.subarray(0, 32 * KIB), noise(64 * KIB)]), ['0-32', '32-96!']],
])('%s', (_name, block, wanted) => {
  expect(show(block)).toEqual(wanted);
});
