import { OcitsError } from '../../errors.ts';
import { splitPair } from '../pair.ts';
import { cleanTarget, type MountRequest } from './mount-request.ts';

const SWITCHES: readonly string[] = [
  ...['ro', 'rw', 'exec', 'noexec', 'suid', 'nosuid', 'dev', 'nodev', 'sync', 'async', 'dirsync'],
  ...['atime', 'noatime', 'diratime', 'nodiratime', 'relatime', 'norelatime', 'strictatime', 'nostrictatime'],
];
/** tmpfs(5), and what each value looks like. */
const VALUES: Readonly<Record<string, RegExp>> = {
  size: /^\d+[kmg%]?$/i,
  nr_blocks: /^\d+[kmg]?$/i,
  nr_inodes: /^\d+[kmg]?$/i,
  mode: /^[0-7]{1,5}$/,
  uid: /^\d{1,10}$/,
  gid: /^\d{1,10}$/,
};

/** Reads a value of `--tmpfs`: `/target[:options]`, such as `/run:size=64m,mode=755`. Throws `invalid-argument`. */
export function parseTmpfsFlag(text: string): MountRequest {
  const colon = text.indexOf(':');
  const target = cleanTarget(colon < 0 ? text : text.slice(0, colon), `--tmpfs ${text}`);
  const options = colon < 0 ? [] : text.slice(colon + 1).split(',');
  return {
    kind: 'tmpfs',
    target,
    options: options
      .filter((option) => option !== '')
      .map((option) => parseTmpfsOption(option, `--tmpfs ${text}`)),
  };
}

/** One option of a tmpfs, checked: what goes on to mount(2) is known. `flag` is for the message. */
export function parseTmpfsOption(option: string, flag: string): string {
  const [name, value] = splitPair(option);
  if (value === undefined && SWITCHES.includes(option)) return option;
  const pattern = Object.hasOwn(VALUES, name) ? VALUES[name] : undefined;
  if (value !== undefined && pattern?.test(value)) return option;
  throw new OcitsError('invalid-argument', `${flag}: ${JSON.stringify(option)} is no option of a tmpfs`);
}
