import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isOcitsError } from '../../src/errors.ts';
import { HOSTILE_TARS } from '../support/hostile/hostile-tars.ts';
import { entry, gnuLong, header, pax, tar } from '../support/layer/raw-tar.ts';
import { type Recorded, readTar } from '../support/layer/record-layer.ts';
import { RANDOM_CASES } from '../support/program/random-cases.ts';

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

const SIZE = WHOLE.length;
const damage = fc.record({
  /** Bytes, of which a quarter are digits, since most of a header's fields are numbers. */
  bytes: fc.array(
    fc.record({
      at: fc.nat(SIZE - 1),
      byte: fc.oneof(
        { weight: 3, arbitrary: fc.nat(255) },
        { weight: 1, arbitrary: fc.integer({ min: 0x30, max: 0x39 }) },
      ),
    }),
    { minLength: 1, maxLength: 3, size: 'max' },
  ),
  /** Where it is cut off: a tenth are. */
  length: fc.oneof({ weight: 9, arbitrary: fc.constant(SIZE) }, { weight: 1, arbitrary: fc.nat(SIZE - 1) }),
});

test('damage anywhere is an error or another layer, never anything else', () => {
  const outcomes = new Set<string>();
  const property = fc.property(damage, ({ bytes, length }) => {
    const damaged = Buffer.from(WHOLE);
    for (const { at, byte } of bytes) {
      damaged[at] = byte;
      repair(damaged, Math.floor(at / 512));
    }
    const found = outcome(damaged.subarray(0, length));
    if (typeof found === 'string') outcomes.add(found.slice(0, found.indexOf(' ')));
    else {
      for (const { change } of found) {
        expect(/(^|\/)\.{0,2}(\/|$)/.test(change.path) && change.path !== '').toBe(false);
        expect(change.path).not.toContain('\0');
      }
    }
  });
  fc.assert(property, { ...RANDOM_CASES, numRuns: 5_000 });
  expect([...outcomes].sort()).toEqual(['corrupt', 'hostile', 'unsupported']);
});

const READABLE = HOSTILE_TARS.filter(({ compression }) => compression === undefined)
  .map(({ name, bytes }) => ({ name, bytes: bytes() }))
  .filter(({ bytes }) => bytes.length <= 100_000);

test.each(READABLE)('$name reads the same in pieces', ({ bytes }) => {
  const size = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 2000 }));
  const sizes = fc.array(size, { minLength: 50, maxLength: 50 });
  const whole = outcome(bytes);
  const property = fc.property(sizes, (pieces) => {
    expect(outcome(bytes, pieces)).toEqual(whole);
  });
  fc.assert(property, { ...RANDOM_CASES, numRuns: 5 });
});
