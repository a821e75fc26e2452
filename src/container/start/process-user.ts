import { type ResolvedUser, resolveUser, USER_FILE_LIMIT_BYTES } from '../../bundle/user.ts';
import type { Engine } from '../../engine.ts';
import type { Snapshotter } from '../../snapshotter/snapshotter.ts';
import { containerFolder } from '../record/folder.ts';
import type { ContainerRecord } from '../record/record.ts';

/**
 * The user that `text` names in the container's passwd and group files: of the image, or as the container has changed
 * them where `isFresh` is false. Throws as `resolveUser`.
 */
export async function containerUser(
  engine: Engine,
  record: ContainerRecord,
  text: string,
  isFresh: boolean,
): Promise<ResolvedUser> {
  const snapshotter: Snapshotter = await engine.snapshotter();
  const parents = record.image.snapshots;
  const stack = isFresh
    ? { parents }
    : { parents, folder: containerFolder(engine.paths, record.id).writable };
  const [passwd, group] = await Promise.all(
    ['etc/passwd', 'etc/group'].map((path) => snapshotter.readFile(stack, path, USER_FILE_LIMIT_BYTES)),
  );
  return resolveUser(text, passwd, group);
}
