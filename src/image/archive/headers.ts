import { Header, Pax } from 'tar';

const BLOCK_BYTES = 512;
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;
/** The same image gives the same archive, whenever it is saved. */
const MTIME = new Date(0);

/** A tar archive ends with two empty blocks. */
export const END_BYTES = 2 * BLOCK_BYTES;

/** How many zeros follow a file of this size. */
export function paddingBytes(sizeBytes: number): number {
  return (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

/** Makes the headers of an archive's files, with those of the folders above them that it has not had yet. */
export class ArchiveHeaders {
  readonly #names = new Set<string>();

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** What stands before the content of a file. */
  next(name: string, sizeBytes: number): Buffer {
    const parts = foldersAbove(name)
      .filter((folder) => !this.#names.has(folder))
      .map((folder) => {
        this.#names.add(folder);
        return header(folder, 'Directory', 0);
      });
    this.#names.add(name);
    return Buffer.concat([...parts, header(name, 'File', sizeBytes)]);
  }
}

/** `blobs/` and `blobs/sha256/` for a blob. */
function foldersAbove(name: string): string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_, position) => `${parts.slice(0, position + 1).join('/')}/`);
}

function header(path: string, type: 'File' | 'Directory', size: number): Buffer {
  const mode = type === 'File' ? FILE_MODE : FOLDER_MODE;
  const fields = { path, type, size, mode, mtime: MTIME, uid: 0, gid: 0, uname: '', gname: '' };
  const block = Buffer.alloc(BLOCK_BYTES);
  if (!new Header(fields).encode(block)) return block;
  return Buffer.concat([new Pax({ path, size }).encode(), block]);
}
