/** One entry of a tar made for a test. Names longer than 100 bytes are not for here. */
export interface TarMember {
  readonly path: string;
  readonly type?: 'file' | 'directory' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo';
  readonly content?: Uint8Array | string;
  readonly target?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly major?: number;
  readonly minor?: number;
}

const TYPE_FLAGS = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};
const BLOCK = 512;

/** An uncompressed ustar archive, written as told: nothing is checked or cleaned, so that tests can lie. */
export function tarBytes(members: readonly TarMember[]): Buffer {
  const parts: Buffer[] = [];
  for (const member of members) {
    const content = Buffer.from(member.content ?? '');
    parts.push(header(member, content.length), content);
    if (content.length % BLOCK !== 0) parts.push(Buffer.alloc(BLOCK - (content.length % BLOCK)));
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function header(member: TarMember, sizeBytes: number): Buffer {
  const type = member.type ?? 'file';
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  block.write(member.path, 0, 100, 'latin1');
  octal(member.mode ?? (type === 'directory' ? 0o755 : 0o644), 100, 8);
  octal(member.uid ?? 0, 108, 8);
  octal(member.gid ?? 0, 116, 8);
  octal(sizeBytes, 124, 12);
  octal(member.mtime ?? 1_700_000_000, 136, 12);
  block.write('        ', 148, 'latin1');
  block.write(TYPE_FLAGS[type], 156, 'latin1');
  block.write(member.target ?? '', 157, 100, 'latin1');
  block.write('ustar\u000000', 257, 'latin1');
  octal(member.major ?? 0, 329, 8);
  octal(member.minor ?? 0, 337, 8);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
