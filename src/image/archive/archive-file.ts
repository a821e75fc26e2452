import { type FileHandle, open } from 'node:fs/promises';
import { posix } from 'node:path';
import { Header, Pax } from 'tar';
import { OcitsError, wrapError } from '../../errors.ts';
import type { FileSet } from './file-set.ts';

const BLOCK_BYTES = 512;
const READ_CHUNK_BYTES = 512 * 1024;
const ENTRY_LIMIT = 100_000;
/** Long names and pax records; the outer archive of an image has none that are large. */
const META_LIMIT_BYTES = 1024 * 1024;
/** As long as Linux takes a path. */
const NAME_LIMIT = 4096;
const LINK_DEPTH_LIMIT = 8;

type Member =
  | { readonly kind: 'file'; readonly offset: number; readonly sizeBytes: number }
  | { readonly kind: 'link'; readonly target: string };

/**
 * The members of an uncompressed tar file, each readable at any time and from anywhere: only headers are read when
 * it is opened. Links (which `docker save` used for layers that are there twice) lead to other members, never to the
 * disk. Errors call it `label`. Throws `corrupt` where it is no tar file or is cut short, `hostile` over a limit.
 */
export async function openArchive(path: string, label = path): Promise<FileSet> {
  const file = await open(path, 'r');
  try {
    const members = await scan(file, label);
    return {
      sizeOf: async (name) => fileMember(members, name)?.sizeBytes,
      read: async (name, offset = 0) => {
        const member = fileMember(members, name);
        if (member === undefined) throw new OcitsError('not-found', `there is no ${name} in ${label}`);
        return readRange(file, member.offset + offset, member.offset + member.sizeBytes);
      },
      [Symbol.asyncDispose]: async () => await file.close(),
    };
  } catch (error) {
    await file.close();
    throw wrapError(error, 'corrupt', `cannot read ${label}`);
  }
}

function fileMember(members: ReadonlyMap<string, Member>, name: string) {
  let member = members.get(name);
  let at = name;
  for (let depth = 0; member?.kind === 'link' && depth < LINK_DEPTH_LIMIT; depth++) {
    at = posix.join(posix.dirname(at), member.target);
    member = members.get(at) ?? members.get(member.target);
  }
  return member?.kind === 'file' ? member : undefined;
}

/** Chunks of their own: consumers may keep them. */
async function* readRange(file: FileHandle, start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; ) {
    const buffer = Buffer.allocUnsafe(Math.min(READ_CHUNK_BYTES, end - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) throw new OcitsError('corrupt', 'the archive has become shorter while it was read');
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

async function scan(file: FileHandle, label: string): Promise<Map<string, Member>> {
  const { size: fileSize } = await file.stat();
  const members = new Map<string, Member>();
  const reader = new HeaderReader(file, fileSize, label);
  for (let header = await reader.next(); header !== undefined; header = await reader.next()) {
    if (members.size >= ENTRY_LIMIT) {
      throw new OcitsError('hostile', `${label} has more than ${ENTRY_LIMIT} members`);
    }
    const { path: given, member } = header;
    if (given.length > NAME_LIMIT || (member.kind === 'link' && member.target.length > NAME_LIMIT)) {
      throw new OcitsError('hostile', `${label} has a name of more than ${NAME_LIMIT} characters`);
    }
    const name = posix.normalize(given).replace(/^(?:\.?\/)+/, '');
    members.set(name, member);
  }
  if (members.size === 0) throw new OcitsError('corrupt', `${label} is not a tar archive`);
  return members;
}

interface NamedMember {
  readonly path: string;
  readonly member: Member;
}

/** Reads the headers of a tar file one by one, and skips the contents. */
class HeaderReader {
  readonly #file: FileHandle;
  readonly #fileSize: number;
  readonly #label: string;
  readonly #block = Buffer.alloc(BLOCK_BYTES);
  #at = 0;

  constructor(file: FileHandle, fileSize: number, label: string) {
    this.#file = file;
    this.#fileSize = fileSize;
    this.#label = label;
  }

  /** The next file or link; undefined at the end of the archive. */
  async next(): Promise<NamedMember | undefined> {
    let extended: { path?: string; linkpath?: string; size?: number } = {};
    while (this.#at + BLOCK_BYTES <= this.#fileSize) {
      await this.#file.read(this.#block, 0, BLOCK_BYTES, this.#at);
      const header = new Header(this.#block, 0, extended);
      if (header.nullBlock) return undefined;
      if (!header.cksumValid) throw this.#noHeader();
      const size = header.size ?? 0;
      const offset = this.#at + BLOCK_BYTES;
      if (!Number.isSafeInteger(size) || size < 0 || offset + size > this.#fileSize) {
        throw new OcitsError('corrupt', `${this.#label} ends within ${JSON.stringify(header.path ?? '')}`);
      }
      this.#at = offset + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
      const { type } = header;
      if (type === 'ExtendedHeader') extended = { ...extended, ...Pax.parse(await this.#text(offset, size)) };
      else if (type === 'NextFileHasLongPath')
        extended = { ...extended, path: await this.#name(offset, size) };
      else if (type === 'NextFileHasLongLinkpath') {
        extended = { ...extended, linkpath: await this.#name(offset, size) };
      } else if (isFile(type))
        return { path: header.path ?? '', member: { kind: 'file', offset, sizeBytes: size } };
      else if (type === 'SymbolicLink' || type === 'Link') {
        // The library puts an extended path into the header, and leaves the target out.
        const target = extended.linkpath ?? header.linkpath ?? '';
        return { path: header.path ?? '', member: { kind: 'link', target } };
      } else extended = {};
    }
    return undefined;
  }

  #noHeader(): OcitsError {
    const what = this.#at === 0 ? 'is not a tar archive' : `has no tar header at byte ${this.#at}`;
    return new OcitsError('corrupt', `${this.#label} ${what}`);
  }

  async #text(offset: number, size: number): Promise<string> {
    if (size > META_LIMIT_BYTES)
      throw new OcitsError('hostile', `${this.#label} has a tar header of more than 1 MiB`);
    const buffer = Buffer.alloc(size);
    await this.#file.read(buffer, 0, size, offset);
    return buffer.toString('utf8');
  }

  async #name(offset: number, size: number): Promise<string> {
    return (await this.#text(offset, size)).replace(/\0.*$/s, '');
  }
}

function isFile(type: string): boolean {
  return type === 'File' || type === 'OldFile' || type === 'ContiguousFile';
}
