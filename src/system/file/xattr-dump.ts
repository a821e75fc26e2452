/** One file's extended attributes: names as latin1, values raw. Paths as latin1, relative to the dump's folder. */
export interface FileXattrs {
  readonly path: string;
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

const FILE_LINE = '# file: ';
const UNSAFE_PATH = /[^A-Za-z0-9_./+-]/g;
const UNSAFE_NAME = /[^A-Za-z0-9_.-]/g;

/** One block of attr(5)'s dump format, as `setfattr --restore` reads it: everything unusual as octal. */
export function formatXattrs(file: FileXattrs): string {
  const lines = [`${FILE_LINE}${toOctal(file.path === '' ? '.' : file.path, UNSAFE_PATH)}`];
  for (const [name, value] of file.xattrs) {
    const text = value.length === 0 ? '""' : `0x${value.toString('hex')}`;
    lines.push(`${toOctal(name, UNSAFE_NAME)}=${text}`);
  }
  return `${lines.join('\n')}\n\n`;
}

/**
 * Reads what `getfattr --dump --encoding=hex` prints, in chunks of any size. The folder itself (`.`) has the
 * empty path.
 */
export class XattrDumpReader {
  readonly #onFile: (file: FileXattrs) => void;
  #rest = '';
  #path: string | undefined;
  #xattrs = new Map<string, Buffer>();

  constructor(onFile: (file: FileXattrs) => void) {
    this.#onFile = onFile;
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
  }

  end(): void {
    if (this.#rest !== '') this.#line(this.#rest);
    this.#emit();
  }

  #line(line: string): void {
    if (line === '') {
      this.#emit();
    } else if (line.startsWith(FILE_LINE)) {
      const path = fromOctal(line.slice(FILE_LINE.length));
      this.#path = path === '.' ? '' : path;
    } else {
      const equals = line.indexOf('=');
      const name = equals < 0 ? line : line.slice(0, equals);
      const hex = equals < 0 ? '' : line.slice(equals + 3);
      this.#xattrs.set(fromOctal(name), Buffer.from(hex, 'hex'));
    }
  }

  #emit(): void {
    if (this.#path !== undefined) this.#onFile({ path: this.#path, xattrs: this.#xattrs });
    this.#path = undefined;
    this.#xattrs = new Map();
  }
}

function toOctal(text: string, unsafe: RegExp): string {
  return text.replace(unsafe, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function fromOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
