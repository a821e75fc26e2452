import { entry, gnuLong, type HeaderFields, pax, tar } from './raw-tar.ts';

/** Short words for the entries of layers that tests make; names are latin1. All times are 1,700,000,000 unless given. */
export const file = (name: string, content: string | Buffer = '', more: HeaderFields = {}) =>
  named(name, { type: '0', mode: 0o644, ...more }, content);
export const folder = (name: string, more: HeaderFields = {}) =>
  named(name, { type: '5', mode: 0o755, ...more });
export const symlink = (name: string, linkName: string, more: HeaderFields = {}) =>
  named(name, { type: '2', mode: 0o777, linkName, ...more });
export const hardlink = (name: string, linkName: string) => named(name, { type: '1', linkName });
export const fifo = (name: string, more: HeaderFields = {}) => named(name, { type: '6', ...more });
export const device = (name: string, major: number, minor: number, more: HeaderFields = {}) =>
  named(name, { type: '3', major, minor, ...more });
export const whiteout = (name: string) => {
  const slash = name.lastIndexOf('/') + 1;
  return file(`${name.slice(0, slash)}.wh.${name.slice(slash)}`);
};
export const opaque = (name: string) => file(`${name === '' ? '' : `${name}/`}.wh..wh..opq`);

/** An entry with an exact time, seconds and fraction as a text, and attributes. */
export function detailed(
  member: Buffer,
  { mtime, xattrs = {} }: { mtime?: string; xattrs?: Readonly<Record<string, string>> },
): Buffer {
  const records: Record<string, string> = mtime === undefined ? {} : { mtime };
  for (const [name, value] of Object.entries(xattrs)) records[`SCHILY.xattr.${name}`] = value;
  return Buffer.concat([pax(records), member]);
}

export { tar as layerTar };

function named(name: string, fields: HeaderFields, content: string | Buffer = ''): Buffer {
  const isLong = name.length > 100;
  const member = entry({ name: isLong ? name.slice(0, 100) : name, ...fields }, content);
  return isLong ? Buffer.concat([gnuLong('L', name), member]) : member;
}
