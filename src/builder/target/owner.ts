import type { Word } from '../../dockerfile/source.ts';
import { copyError } from '../source/copy-error.ts';

export interface CopyOwner {
  readonly uid: number;
  readonly gid: number;
}

const MAX_ID = 2 ** 32 - 2;

/** Reads `/etc/passwd` or `/etc/group` of the image; undefined where there is none. */
export type ReadImageFile = (path: 'etc/passwd' | 'etc/group') => Promise<Buffer | undefined>;

/**
 * Who `--chown=user[:group]` means: numbers as they are, names by the image's files. Without a group it is the
 * user's own, and a number stands for both. Throws `not-found` or `syntax` at the word.
 */
export async function resolveOwner(file: string, word: Word, readFile: ReadImageFile): Promise<CopyOwner> {
  const [user = '', group, more] = word.text.split(':');
  if (user === '' || group === '' || more !== undefined) {
    throw copyError(
      file,
      word,
      'syntax',
      `invalid owner ${JSON.stringify(word.text)}`,
      'write user, or user:group',
    );
  }
  const uid = numericId(file, word, user);
  const found = uid === undefined ? await find(file, word, user, 'etc/passwd', readFile) : undefined;
  const id = uid ?? Number(found![2]);
  if (group === undefined) return { uid: id, gid: found === undefined ? id : Number(found[3]) };
  const gid = numericId(file, word, group);
  return { uid: id, gid: gid ?? Number((await find(file, word, group, 'etc/group', readFile))[2]) };
}

function numericId(file: string, word: Word, text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const id = Number(text);
  if (id <= MAX_ID) return id;
  throw copyError(file, word, 'syntax', `owner ${text} is above ${MAX_ID}`);
}

async function find(
  file: string,
  word: Word,
  name: string,
  path: 'etc/passwd' | 'etc/group',
  readFile: ReadImageFile,
): Promise<string[]> {
  const content = await readFile(path);
  const [idField, ...others] = path === 'etc/passwd' ? [2, 3] : [2];
  const hint = `give numbers, or add it to the image's /${path} first`;
  if (content === undefined) {
    throw copyError(
      file,
      word,
      'not-found',
      `${JSON.stringify(name)} is unknown: the image has no /${path}`,
      hint,
    );
  }
  const lines = content
    .toString('utf8')
    .split('\n')
    .map((line) => line.trimEnd().split(':'));
  const isId = (text: string | undefined) =>
    text !== undefined && /^\d+$/.test(text) && Number(text) <= MAX_ID;
  const line = lines.find(
    (fields) => fields[0] === name && isId(fields[idField!]) && others.every((at) => isId(fields[at])),
  );
  if (line !== undefined) return line;
  throw copyError(file, word, 'not-found', `${JSON.stringify(name)} is not in the image's /${path}`, hint);
}
