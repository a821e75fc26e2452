import type { ErrorCode } from '../../../src/errors.ts';
import { blocks, entry, gnuLong, type HeaderFields, header, pax, paxRecord, tar } from '../layer/raw-tar.ts';
import type { HostileTar } from './hostile-tars.ts';

function refused(name: string, reader: ErrorCode, ...parts: Buffer[]): HostileTar {
  return { name, bytes: () => tar(...parts), reader };
}

/** The archive as it is, without the end that `tar` gives it. */
function raw(name: string, reader: ErrorCode | 'ok', ...parts: Buffer[]): HostileTar {
  return { name, bytes: () => Buffer.concat(parts), reader };
}

const file = (more: HeaderFields = {}) => entry({ name: 'a', ...more }, 'data\n');
/** Eleven octal digits, or the number in base 256. */
function number12(value: number): string {
  const octal = value.toString(8).padStart(11, '0');
  if (value >= 0 && octal.length === 11) return `${octal}\0`;
  const bytes = Buffer.alloc(12, 0x80);
  bytes.fill(value < 0 ? 0xff : 0, 1, 4);
  bytes.writeBigInt64BE(BigInt(value), 4);
  if (value < 0) bytes[0] = 0xff;
  return bytes.toString('latin1');
}

/** Headers that lie, and archives that end where they should not. */
export function hostileHeaders(): HostileTar[] {
  return [...numbers(), ...paxHeaders(), ...sparseMaps(), ...ends()];
}

function numbers(): HostileTar[] {
  return [
    refused('checksum-wrong', 'corrupt', file({ checksum: 1234 })),
    refused('size-no-number', 'corrupt', file({ patches: [[124, '0000000x005']] })),
    refused('size-negative', 'hostile', header({ size: -512 }), blocks('data')),
    refused('size-of-exabytes', 'hostile', header({ size: 2 ** 60 }), blocks('data')),
    refused('size-beyond-double', 'hostile', header({ patches: [[124, `\x80${'\xff'.repeat(11)}`]] })),
    refused('size-beyond-stream', 'corrupt', header({ size: 1_000_000_000 }), blocks('data')),
    refused('pax-size-beyond-stream', 'corrupt', pax({ size: '1000000000' }), file()),
    refused('pax-size-negative', 'corrupt', pax({ size: '-5' }), file()),
    refused('pax-size-hexadecimal', 'corrupt', pax({ size: '0x5' }), file()),
    refused('pax-size-beyond-double', 'hostile', pax({ size: '9'.repeat(30) }), file()),
    refused('uid-negative', 'hostile', file({ uid: -1 })),
    refused('uid-of-4294967295', 'hostile', file({ uid: 2 ** 32 - 1 })),
    refused('uid-pax-of-4294967296', 'hostile', pax({ uid: '4294967296' }), file()),
    refused('gid-pax-no-number', 'corrupt', pax({ gid: 'wheel' }), file()),
    refused('gid-of-petas', 'hostile', file({ gid: 2 ** 50 })),
    refused('mode-no-number', 'corrupt', file({ patches: [[100, 'rwxr-xr']] })),
    refused('mtime-no-number', 'corrupt', pax({ mtime: 'yesterday' }), file()),
    refused('mtime-beyond-calendars', 'hostile', file({ patches: [[136, `\x80${'\x7f'.repeat(11)}`]] })),
    refused('device-too-big', 'hostile', entry({ type: '3', major: 5000, minor: 1 })),
    refused('device-negative', 'hostile', entry({ type: '4', major: -1, minor: 1 })),
    refused('device-no-number', 'corrupt', entry({ type: '3', patches: [[329, 'abc']] })),
    refused('type-unknown', 'unsupported', file({ type: 'Z' })),
    refused('type-multi-volume', 'unsupported', file({ type: 'M' })),
    {
      ...raw(
        'entries-beyond-limit',
        'hostile',
        ...Array.from({ length: 11 }, (_, i) => entry({ name: `f${i}` })),
      ),
      limits: { maxEntries: 10 },
    },
    { ...raw('size-beyond-limit', 'hostile', entry({}, 'x'.repeat(5000))), limits: { maxBytes: 4096 } },
  ];
}

function paxHeaders(): HostileTar[] {
  return [
    refused('pax-length-zero', 'corrupt', pax('0 a=b\n'), file()),
    refused('pax-length-missing', 'corrupt', pax(' path=b\n'), file()),
    refused('pax-length-past-end', 'corrupt', pax('99 path=b\n'), file()),
    refused('pax-length-short', 'corrupt', pax('6 path=b\n'), file()),
    refused('pax-length-digits', 'corrupt', pax(`${'9'.repeat(40)} path=b\n`), file()),
    refused('pax-length-negative', 'corrupt', pax('-9 path=b\n'), file()),
    refused('pax-newline-missing', 'corrupt', pax('9 path=bc'), file()),
    refused('pax-equals-missing', 'corrupt', pax('8 pathb\n'), file()),
    refused('pax-key-empty', 'corrupt', pax('6 =bb\n'), file()),
    refused('pax-of-2-mib', 'hostile', pax(paxRecord('comment', 'c'.repeat(2 * 1024 * 1024))), file()),
    refused('pax-says-1-tib', 'hostile', header({ type: 'x', size: 2 ** 40 }), file()),
    refused('pax-size-negative-header', 'hostile', header({ type: 'x', size: -1 }), file()),
    refused(
      'pax-global-of-2-mib',
      'hostile',
      pax(paxRecord('comment', 'c'.repeat(2 * 1024 * 1024)), 'g'),
      file(),
    ),
    refused('pax-without-entry', 'corrupt', pax({ path: 'a' })),
    refused(
      'pax-thousands-without-entry',
      'corrupt',
      ...Array.from({ length: 2000 }, () => pax({ path: 'a' })),
    ),
    refused('gnu-long-name-of-100000', 'hostile', gnuLong('L', 'n'.repeat(100_000)), file()),
    refused('gnu-long-name-says-8-eib', 'hostile', header({ type: 'L', size: 2 ** 62 }), file()),
    refused('gnu-long-name-without-entry', 'corrupt', gnuLong('L', 'name')),
  ];
}

function sparseMaps(): HostileTar[] {
  const gnu = (runs: readonly (readonly [number, number])[], realSize: number, size: number, more = '') =>
    header({
      name: 'a',
      type: 'S',
      magic: 'gnu',
      size,
      patches: [
        ...runs.map(([at, length], i) => [386 + 24 * i, `${number12(at)}${number12(length)}`] as const),
        [482, more],
        [483, number12(realSize)],
      ],
    });
  const pax1 = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '4096' };
  const data = blocks('data');
  const endless = Buffer.alloc(512);
  endless.write('\x01', 504);
  return [
    refused(
      'sparse-overlap',
      'hostile',
      gnu(
        [
          [0, 256],
          [128, 256],
        ],
        4096,
        512,
      ),
      data,
    ),
    refused(
      'sparse-backwards',
      'hostile',
      gnu(
        [
          [1024, 256],
          [0, 256],
        ],
        4096,
        512,
      ),
      data,
    ),
    refused('sparse-past-end', 'hostile', gnu([[4000, 512]], 4096, 512), data),
    refused('sparse-more-than-stored', 'hostile', gnu([[0, 1024]], 4096, 512), data),
    refused('sparse-less-than-stored', 'hostile', gnu([[0, 100]], 4096, 512), data),
    refused('sparse-of-exabytes', 'hostile', gnu([[0, 512]], 2 ** 60, 512), data),
    refused(
      'sparse-endless-extension',
      'hostile',
      gnu([[0, 1]], 4096, 1, '\x01'),
      ...Array(2100).fill(endless),
    ),
    raw('sparse-extension-cut', 'corrupt', gnu([[0, 1]], 4096, 1, '\x01')),
    refused('sparse-map-odd', 'hostile', pax({ 'GNU.sparse.map': '0,5,9', 'GNU.sparse.size': '9' }), file()),
    refused(
      'sparse-map-negative',
      'hostile',
      pax({ 'GNU.sparse.map': '-1,5', 'GNU.sparse.size': '9' }),
      file(),
    ),
    refused('sparse-map-overflow', 'hostile', pax({ 'GNU.sparse.map': '9007199254740990,5' }), file()),
    refused(
      'sparse-size-no-number',
      'corrupt',
      pax({ 'GNU.sparse.map': '0,5', 'GNU.sparse.size': 'x' }),
      file(),
    ),
    refused(
      'sparse-folder',
      'corrupt',
      pax({ 'GNU.sparse.map': '', ...pax1 }),
      entry({ name: 'a', type: '5' }),
    ),
    refused('sparse-1.0-endless', 'corrupt', pax(pax1), entry({ name: 'a' }, '1000000\n0\n')),
    refused('sparse-1.0-no-number', 'corrupt', pax(pax1), entry({ name: 'a' }, 'one\n0\n')),
    refused('sparse-1.0-no-newline', 'corrupt', pax(pax1), entry({ name: 'a' }, '1'.repeat(2048))),
    refused('sparse-1.0-negative', 'corrupt', pax(pax1), entry({ name: 'a' }, '1\n-5\n5\n')),
    refused(
      'sparse-1.0-map-of-2-mib',
      'hostile',
      pax(pax1),
      entry({ name: 'a' }, `900000\n${'0\n'.repeat(1048576)}`),
    ),
  ];
}

function ends(): HostileTar[] {
  const whole = file();
  return [
    raw('empty', 'ok'),
    raw('end-missing', 'ok', whole),
    raw('end-of-one-block', 'ok', whole, Buffer.alloc(512)),
    raw('end-within-padding', 'ok', whole.subarray(0, 512 + 5)),
    raw('cut-in-header', 'corrupt', whole, whole.subarray(0, 300)),
    raw('cut-in-data', 'corrupt', whole.subarray(0, 512 + 4)),
    raw('cut-before-data', 'corrupt', whole.subarray(0, 512)),
    raw('cut-in-pax', 'corrupt', pax({ path: 'b' }).subarray(0, 520)),
    raw('cut-in-end', 'corrupt', whole, Buffer.alloc(700)),
    raw('zeros-before-header', 'corrupt', whole, Buffer.alloc(512), file({ name: 'b' })),
    raw('text', 'corrupt', Buffer.from('this is no archive\n'.repeat(100))),
    raw('zeros', 'ok', Buffer.alloc(10240)),
    { ...raw('entries-after-end', 'ok', tar(whole), tar(file({ name: 'evil' }))), paths: ['a'] },
    { ...raw('garbage-after-end', 'ok', tar(whole), Buffer.from('garbage'.repeat(300))), paths: ['a'] },
  ];
}
