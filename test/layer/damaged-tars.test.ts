import { expect, test } from 'vitest';
import { isOcitsError } from '../../src/errors.ts';
import { HOSTILE_TARS } from '../support/hostile/hostile-tars.ts';
import { entry, gnuLong, header, pax, tar } from '../support/layer/raw-tar.ts';
import { type Recorded, readTar } from '../support/layer/record-layer.ts';

/** The same numbers at each run: a failure can be looked at again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const WHOLE = tar(
  pax({ path: 'folder/long', mtime: '1.5', 'SCHILY.xattr.user.a': 'b', uid: '70000' }),
  entry({ name: 'x' }, 'some data'),
  entry({ name: 'folder', type: '5' }),
  gnuLong('L', 'l'.repeat(150)),
  entry({ name: 'l', type: '2', linkName: 'target', magic: 'gnu' }),
  pax({
    'GNU.sparse.major': '1',
    'GNU.sparse.minor': '0',
    'GNU.sparse.realsize': '5000',
    'GNU.sparse.name': 's',
  }),
  entry({ name: 's' }, `${'1\n1000\n3\n'.padEnd(512, '\0')}abc`),
  pax({ 'GNU.sparse.map': '0,3,10,2', 'GNU.sparse.size': '20' }),
  entry({ name: 'm' }, 'abcde'),
  header({ name: 'folder/.wh.gone' }),
  entry({ name: 'dev', type: '3', major: 1, minor: 3 }),
);

/** What is read, or the code of the error; anything but an OcitsError fails the test. */
function outcome(bytes: Buffer, sizes: readonly number[] = []): readonly Recorded[] | string {
  const limits = { maxBytes: 1024 * 1024 };
  try {
    return readTar(bytes, sizes, { limits });
  } catch (error) {
    if (!isOcitsError(error)) throw error;
    return `${error.code} ${error.message}`;
  }
}

/** A header's checksum made right again, so that what is damaged is looked at. */
function repair(bytes: Buffer, block: number): void {
  const at = block * 512;
  bytes.fill(0x20, at + 148, at + 156);
  const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
}

test('damage anywhere is an error or another layer, never anything else', () => {
  const next = random(1);
  const outcomes = new Set<string>();
  for (let round = 0; round < 5_000; round++) {
    const bytes = Buffer.from(WHOLE);
    for (let i = next(3); i >= 0; i--) {
      const at = next(bytes.length);
      bytes[at] = next(4) === 0 ? 0x30 + next(10) : next(256);
      repair(bytes, Math.floor(at / 512));
    }
    const found = outcome(next(10) === 0 ? bytes.subarray(0, next(bytes.length)) : bytes);
    if (typeof found === 'string') outcomes.add(found.slice(0, found.indexOf(' ')));
    else {
      for (const { change } of found) {
        expect(/(^|\/)\.{0,2}(\/|$)/.test(change.path) && change.path !== '').toBe(false);
        expect(change.path).not.toContain('\0');
      }
    }
  }
  expect([...outcomes].sort()).toEqual(['corrupt', 'hostile', 'unsupported']);
});

test('every hostile layer reads the same in pieces', () => {
  const next = random(2);
  for (const hostile of HOSTILE_TARS) {
    if (hostile.compression !== undefined) continue;
    const bytes = hostile.bytes();
    if (bytes.length > 100_000) continue;
    const sizes = Array.from({ length: 50 }, () => 1 + next(next(2) === 0 ? 40 : 2000));
    expect(outcome(bytes, sizes), hostile.name).toEqual(outcome(bytes));
  }
});
