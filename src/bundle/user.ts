import { OcitsError } from '../errors.ts';

/** A user as the kernel knows it, and where it lives. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** With `gid` itself, as in Docker: a process that lacks it there could pass a rule made against that group. */
  readonly additionalGids: readonly number[];
  /** Absolute; `/` where the image does not say. */
  readonly home: string;
}

/** More than any real passwd or group file has: what readers of an image's files should allow. */
export const USER_FILE_LIMIT_BYTES = 4 * 1024 * 1024;

const ID_LIMIT = 2 ** 31 - 1;
/** As many as passwd(5) has. */
const FIELDS = 7;

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/**
 * Reads `USER` or `--user`: `name`, `uid`, `name:group`, `uid:gid` in any mixture, '' for root; with the image's
 * passwd(5) and group(5), undefined where it has none. A number needs no entry. A group that is named replaces the
 * user's groups. Malformed lines are passed over. Throws `not-found` for a name without an entry, and
 * `invalid-argument` for a number above 2^31-1, which the kernel or the runtime would cut or take as "nobody".
 */
export function resolveUser(
  userText: string,
  passwd: Uint8Array | undefined,
  group: Uint8Array | undefined,
): ResolvedUser {
  const colon = userText.indexOf(':');
  const userPart = (colon < 0 ? userText : userText.slice(0, colon)) || '0';
  const groupPart = colon < 0 ? '' : userText.slice(colon + 1);
  const userId = numericId(userPart, 'user');
  const entry = passwdEntries(passwd).find(({ name, uid }) => name === userPart || uid === userId);
  if (entry === undefined && userId === undefined) throw unknown('user', userPart, 'passwd');
  const uid = entry?.uid ?? userId!;
  const home = entry?.home.startsWith('/') ? entry.home : '/';
  const groups = groupEntries(group);
  if (groupPart !== '') {
    const gid = groupId(groupPart, groups);
    return { uid, gid, additionalGids: [gid], home };
  }
  const gid = entry?.gid ?? 0;
  const own = entry === undefined ? [] : groups.filter(({ members }) => members.includes(entry.name));
  return { uid, gid, additionalGids: [...new Set([gid, ...own.map((each) => each.gid)])], home };
}

function groupId(text: string, groups: readonly GroupEntry[]): number {
  const number = numericId(text, 'group');
  const entry = groups.find(({ name, gid }) => name === text || gid === number);
  if (entry === undefined && number === undefined) throw unknown('group', text, 'group');
  return entry?.gid ?? number!;
}

function numericId(text: string, kind: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const id = Number(text);
  if (id > ID_LIMIT) {
    throw new OcitsError('invalid-argument', `the ${kind} ID ${text.slice(0, 40)} is above ${ID_LIMIT}`);
  }
  return id;
}

function unknown(kind: string, name: string, file: string): OcitsError {
  const shown = JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
  return new OcitsError('not-found', `the ${kind} ${shown} is not in the image's /etc/${file}`, {
    hint: `use a numeric ${kind} ID, or one that the image knows`,
  });
}

function passwdEntries(content: Uint8Array | undefined): readonly PasswdEntry[] {
  return fieldLines(content).flatMap(([name = '', , uid, gid, , home = '']) => {
    const ids = [fileId(uid), fileId(gid)];
    if (name === '' || ids[0] === undefined || ids[1] === undefined) return [];
    return [{ name, uid: ids[0], gid: ids[1], home }];
  });
}

function groupEntries(content: Uint8Array | undefined): readonly GroupEntry[] {
  return fieldLines(content).flatMap(([name = '', , gidText, members = '']) => {
    const gid = fileId(gidText);
    return name === '' || gid === undefined ? [] : [{ name, gid, members: members.split(',') }];
  });
}

function fieldLines(content: Uint8Array | undefined): readonly string[][] {
  if (content === undefined) return [];
  const lines = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    .toString('utf8')
    .split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.trim().split(':', FIELDS));
}

function fileId(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) <= ID_LIMIT ? Number(text) : undefined;
}
