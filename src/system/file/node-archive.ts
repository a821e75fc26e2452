/** A file system node for `makeNodes`. `path` and `target` are bytes (latin1), relative to its folder. */
export interface NodeToMake {
  readonly path: string;
  /** `file` is an empty one. */
  readonly type: 'char' | 'block' | 'fifo' | 'symlink' | 'directory' | 'file' | 'hardlink';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: { readonly seconds: number; readonly nanoseconds: number };
  /** Of a symlink, as it stands in it; of a hard link, the path of the file. */
  readonly target?: string | undefined;
  readonly major?: number | undefined;
  readonly minor?: number | undefined;
}

const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
const MAX_OCTAL_OWNER = 0o7777777;
/** POSIX.1-1988 ustar: the type flag of a header, by the kind of node. */
export const TYPE_FLAGS = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
} as const;

/**
 * The tar records of one node, as GNU tar reads them: names in GNU's long form, since that takes any bytes in any
 * locale; the time as a pax record, since that alone has nanoseconds.
 */
export function archiveNode(node: NodeToMake): Buffer {
  const { path, target = '' } = node;
  const parts: Buffer[] = [extra('x', timeRecord(node.mtime))];
  if (path.length >= NAME_BYTES) parts.push(extra('L', `${path}\0`));
  if (target.length >= NAME_BYTES) parts.push(extra('K', `${target}\0`));
  parts.push(header({ ...node, flag: TYPE_FLAGS[node.type], sizeBytes: 0 }));
  return Buffer.concat(parts);
}

/** What stands at the end of a tar. */
export function archiveEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK_BYTES);
}

function extra(flag: 'x' | 'L' | 'K', content: string): Buffer {
  const block = header({ path: '././@header', mode: 0, uid: 0, gid: 0, flag, sizeBytes: content.length });
  const body = Buffer.alloc(Math.ceil(content.length / BLOCK_BYTES) * BLOCK_BYTES);
  body.write(content, 'latin1');
  return Buffer.concat([block, body]);
}

function timeRecord(time: NodeToMake['mtime']): string {
  const total = BigInt(time.seconds) * 1_000_000_000n + BigInt(time.nanoseconds);
  const digits = (total < 0n ? -total : total).toString().padStart(10, '0');
  const record = ` mtime=${total < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}\n`;
  // The length counts its own digits.
  const length = record.length + String(record.length).length;
  return `${record.length + String(length).length}${record}`;
}

interface Header extends Omit<NodeToMake, 'type' | 'mtime'> {
  readonly flag: string;
  readonly sizeBytes: number;
}

function header(fields: Header): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(fields.path.slice(0, NAME_BYTES), 0, 'latin1');
  number(block, fields.mode, 100, 8);
  number(block, fields.uid, 108, 8);
  number(block, fields.gid, 116, 8);
  number(block, fields.sizeBytes, 124, 12);
  number(block, 0, 136, 12);
  block.write('        ', 148, 'latin1');
  block.write(fields.flag, 156, 'latin1');
  block.write((fields.target ?? '').slice(0, NAME_BYTES), 157, 'latin1');
  block.write('ustar  \0', 257, 'latin1');
  number(block, fields.major ?? 0, 329, 8);
  number(block, fields.minor ?? 0, 337, 8);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** In octal where it fits, else in GNU's base 256. */
function number(block: Buffer, value: number, at: number, length: 8 | 12): void {
  if (value <= MAX_OCTAL_OWNER || length === 12) {
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  } else {
    block[at] = 0x80;
    block.writeUIntBE(value, at + length - 6, 6);
  }
}
