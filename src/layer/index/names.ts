import { parentPath } from '../byte-path.ts';
import type { BytePath } from '../layer-change.ts';
import { type IndexParts, TYPES } from './format.ts';
import { pathAt } from './rows.ts';

/** What a layer's index says of each path. */
export interface IndexNames {
  readonly entries: Map<BytePath, number>;
  readonly whiteouts: Set<BytePath>;
  readonly opaques: Set<BytePath>;
  readonly folders: Map<BytePath, string[]>;
}

const WHITEOUT = TYPES.indexOf('whiteout');
const OPAQUE = TYPES.indexOf('opaque');

/** Goes over all paths once. */
export function collectNames(parts: IndexParts): IndexNames {
  const names: IndexNames = {
    entries: new Map(),
    whiteouts: new Set(),
    opaques: new Set(),
    folders: new Map(),
  };
  const { type } = parts.columns;
  for (let i = 0; i < type.length; i++) {
    const path = pathAt(parts, i);
    if (type[i] === WHITEOUT) names.whiteouts.add(path);
    else if (type[i] === OPAQUE) {
      names.opaques.add(path);
      listName(names.folders, path);
    } else {
      if (!names.entries.has(path)) listName(names.folders, path);
      names.entries.set(path, i);
    }
  }
  return names;
}

/** Puts a path's last part into its folder's list, and the folder into its own's where it is new. */
function listName(folders: Map<BytePath, string[]>, path: BytePath): void {
  if (path === '') return;
  const folder = parentPath(path);
  const name = path.slice(folder === '' ? 0 : folder.length + 1);
  const list = folders.get(folder);
  if (list === undefined) {
    folders.set(folder, [name]);
    listName(folders, folder);
  } else list.push(name);
}
