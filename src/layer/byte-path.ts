import { OcitsError } from '../errors.ts';
import type { BytePath } from './layer-change.ts';
import { MAX_NAME_BYTES, MAX_PATH_BYTES } from './layer-limits.ts';

const UNCLEAN = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * The clean path of a name in a tar, from the layer's root: a leading `/` counts for nothing, `.` and `..` are
 * resolved as text, as Docker does. Throws `hostile` where `..` leaves the root, on a NUL, and over Linux's limits
 * (paths of 4,096 bytes with their end, names of 255).
 */
export function cleanPath(name: string): BytePath {
  const path = cleanMarkerPath(name);
  checkLengths(name, path);
  return path;
}

/** The same without the limits: the name of a whiteout is longer than the name that it takes away. */
export function cleanMarkerPath(name: string): BytePath {
  const trimmed = name.endsWith('/') ? name.slice(0, -1) : name;
  const path = UNCLEAN.test(trimmed) ? resolveDots(name) : trimmed;
  if (path.includes('\0')) throw hostileEntry(name, 'has a NUL in its name');
  return path;
}

function resolveDots(name: string): BytePath {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) throw hostileEntry(name, 'leaves the root by ".."');
  }
  return parts.join('/');
}

/** Throws `hostile` where no file can have the path that the entry `name` stands for. */
export function checkLengths(name: string, path: BytePath): void {
  const fault = tooLong(path);
  if (fault !== undefined) throw hostileEntry(name, fault);
}

/** What is wrong with a path that Linux does not take: 4,095 bytes are the most, and 255 for each name in it. */
export function tooLong(path: BytePath): string | undefined {
  if (path.length <= MAX_NAME_BYTES) return undefined;
  if (path.length >= MAX_PATH_BYTES) {
    return `has a path of ${path.length} bytes; ${MAX_PATH_BYTES - 1} is the most`;
  }
  const isLong = path.split('/').some((part) => part.length > MAX_NAME_BYTES);
  return isLong ? `has a name of more than ${MAX_NAME_BYTES} bytes` : undefined;
}

/** The path's folder; the root's is the root. */
export function parentPath(path: BytePath): BytePath {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

/** The last part of a path. */
export function baseName(path: BytePath): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A path under `folder`; the root is the empty string. */
export function joinPath(folder: BytePath, name: string): BytePath {
  return folder === '' ? name : `${folder}/${name}`;
}

/** For people: quoted, as UTF-8, shortened. */
export function showPath(path: string): string {
  const text = Buffer.from(path.slice(0, 400), 'latin1').toString('utf8');
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

/** A well-formed entry that asks for what no honest layer asks for. */
export function hostileEntry(name: string, what: string): OcitsError {
  return new OcitsError('hostile', `layer entry ${showPath(name)} ${what}`, {
    hint: 'the image is faulty or an attack; nothing of this layer is kept',
  });
}

/** An entry that breaks the format. */
export function corruptEntry(name: string, what: string): OcitsError {
  return new OcitsError('corrupt', `layer entry ${showPath(name)} ${what}`, {
    hint: 'the image is damaged; build or push it again',
  });
}
