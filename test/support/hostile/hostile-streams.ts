import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { ErrorCode } from '../../../src/errors.ts';
import { entry, header, tar } from '../layer/raw-tar.ts';
import type { HostileTar } from './hostile-tars.ts';

const plain = () => tar(entry({ name: 'a' }, 'some data\n'.repeat(500)));
const gz = () => gzipSync(plain());
const zst = () => zstdCompressSync(plain());

function gzip(name: string, reader: ErrorCode | 'ok', bytes: () => Buffer): HostileTar {
  return { name: `gzip-${name}`, compression: 'gzip', reader, bytes };
}

function zstd(name: string, reader: ErrorCode | 'ok', bytes: () => Buffer): HostileTar {
  return { name: `zstd-${name}`, compression: 'zstd', reader, bytes };
}

function changed(bytes: Buffer, at: number): Buffer {
  const index = at < 0 ? bytes.length + at : at;
  bytes[index]! ^= 0xff;
  return bytes;
}

const SMALL_BOMB = { maxRatio: 100, ratioFloorBytes: 1024 * 1024 };

/** A file of zeros that a thousandth of its size describes. */
const bomb = () =>
  Buffer.concat([header({ name: 'bomb', size: 8 * 1024 * 1024 }), Buffer.alloc(8 * 1024 * 1024)]);

/** Compressed streams that are cut off, damaged, longer than they should be, or far bigger inside. */
export function hostileStreams(): HostileTar[] {
  return [...gzips(), ...zstds()];
}

function gzips(): HostileTar[] {
  return [
    gzip('cut', 'corrupt', () => gz().subarray(0, 60)),
    gzip('cut-in-trailer', 'corrupt', () => gz().subarray(0, -3)),
    gzip('cut-in-header', 'corrupt', () => gz().subarray(0, 5)),
    gzip('empty', 'corrupt', () => Buffer.alloc(0)),
    gzip('no-gzip', 'corrupt', plain),
    gzip('garbage-after', 'corrupt', () => Buffer.concat([gz(), Buffer.from('garbage')])),
    gzip('zeros-after', 'corrupt', () => Buffer.concat([gz(), Buffer.alloc(100)])),
    gzip('half-member-after', 'corrupt', () => Buffer.concat([gz(), gz().subarray(0, 40)])),
    gzip('crc-wrong', 'corrupt', () => changed(gz(), -6)),
    gzip('length-wrong', 'corrupt', () => changed(gz(), -1)),
    gzip('method-unknown', 'corrupt', () => changed(gz(), 2)),
    gzip('bits-flipped', 'corrupt', () => changed(gz(), 30)),
    gzip('members', 'ok', () => {
      const half = plain();
      return Buffer.concat([gzipSync(half.subarray(0, 700)), gzipSync(''), gzipSync(half.subarray(700))]);
    }),
    { ...gzip('bomb', 'hostile', () => gzipSync(bomb())), limits: SMALL_BOMB },
    {
      ...gzip('bomb-of-members', 'hostile', () => {
        const member = gzipSync(Buffer.alloc(1024 * 1024));
        return Buffer.concat([gzipSync(header({ size: 64 * 1024 * 1024 })), ...Array(64).fill(member)]);
      }),
      limits: SMALL_BOMB,
    },
    {
      ...gzip('bomb-after-end', 'hostile', () =>
        gzipSync(Buffer.concat([plain(), Buffer.alloc(8 * 1024 * 1024)])),
      ),
      limits: SMALL_BOMB,
    },
    { ...gzip('beyond-limit', 'hostile', gz), limits: { maxBytes: 1000 } },
  ];
}

function zstds(): HostileTar[] {
  const skippable = (size: number, content: string) => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(0x184d2a53, 0);
    head.writeUInt32LE(size, 4);
    return Buffer.concat([head, Buffer.from(content)]);
  };
  // A frame that asks for a window of 2 GiB, with one raw block.
  const wide = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x09, 0x00, 0x00, 0x41]);
  return [
    zstd('cut', 'corrupt', () => zst().subarray(0, 40)),
    zstd('cut-at-end', 'corrupt', () => zst().subarray(0, -1)),
    zstd('empty', 'corrupt', () => Buffer.alloc(0)),
    zstd('no-zstd', 'corrupt', plain),
    zstd('garbage-after', 'corrupt', () => Buffer.concat([zst(), Buffer.from('garbage')])),
    zstd('zeros-after', 'corrupt', () => Buffer.concat([zst(), Buffer.alloc(100)])),
    zstd('block-type-reserved', 'corrupt', () =>
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x01, 0x0f, 0, 0, 0x41]),
    ),
    zstd('window-of-2-gib', 'corrupt', () => wide),
    zstd('skippable-cut', 'corrupt', () => Buffer.concat([zst(), skippable(1000, 'short')])),
    zstd('skippable-says-4-gib', 'corrupt', () => Buffer.concat([zst(), skippable(0xffffffff, 'short')])),
    zstd('skippable', 'ok', () => Buffer.concat([skippable(4, 'meta'), zst(), skippable(0, '')])),
    zstd('frames', 'ok', () => {
      const half = plain();
      return Buffer.concat([
        zstdCompressSync(half.subarray(0, 700)),
        zstdCompressSync(''),
        zstdCompressSync(half.subarray(700)),
      ]);
    }),
    { ...zstd('bomb', 'hostile', () => zstdCompressSync(bomb())), limits: SMALL_BOMB },
  ];
}
