import fc from 'fast-check';
import { file, folder, hardlink, layerTar, opaque, symlink, whiteout } from './layer-tar.ts';

/** One entry of a layer; `target` is that of a link, the mode counts for files and folders, the owner for folders. */
export interface StackEntry {
  readonly kind: 'file' | 'folder' | 'symlink' | 'hardlink' | 'whiteout' | 'opaque';
  readonly name: string;
  readonly target?: string | undefined;
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
}

/** Layers, the lowest first. */
export type Stack = readonly (readonly StackEntry[])[];

/** What is chosen at random, of which a hard link's target is still the number of a file. */
interface Choice extends StackEntry {
  readonly withParents: boolean;
  readonly file: number;
}

const name = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'));
const kind = fc.constantFrom<StackEntry['kind'][]>(
  ...(['file', 'file', 'folder', 'folder', 'symlink', 'hardlink', 'whiteout', 'opaque'] as const),
);
const target = fc.oneof(
  { weight: 7, arbitrary: fc.tuple(fc.nat(2), name).map(([up, path]) => '../'.repeat(up) + path) },
  { weight: 3, arbitrary: name.map((path) => `/${path}`) },
);
const choice: fc.Arbitrary<Choice> = fc.record({
  kind,
  name,
  target,
  mode: fc.constantFrom(0o755, 0o700, 0o711),
  uid: fc.nat(2),
  withParents: fc.boolean(),
  file: fc.nat(99),
});
const several = (most: number) => ({ minLength: 1, maxLength: most, size: 'max' }) as const;

/**
 * A stack of layers with few names, so that everything happens to everything: types change within a layer and from
 * layer to layer, parents are listed or not, late or twice, symlinks lead anywhere, marks come before and after. Many
 * are faulty.
 */
export const randomStack: fc.Arbitrary<Stack> = fc
  .array(fc.array(choice, several(6)), several(4))
  .map((layers) => {
    const files = new Set<string>();
    return layers.map((choices) => choices.flatMap((each) => entriesOf(each, files)));
  });

/** The entry, and the folders above it where they are listed; a hard link leads to a file that came before. */
function entriesOf({ withParents, file: number, ...entry }: Choice, files: Set<string>): StackEntry[] {
  const { mode, uid } = entry;
  const parents = withParents ? parentsOf(entry.name) : [];
  const entries: StackEntry[] = parents.map((parent) => ({ kind: 'folder', name: parent, mode, uid }));
  if (entry.kind === 'hardlink') {
    if (files.size === 0) return entries;
    const linked = [...files][number % files.size]!;
    entries.push({ kind: 'hardlink', name: entry.name, target: linked });
  } else if (entry.kind === 'symlink')
    entries.push({ kind: 'symlink', name: entry.name, target: entry.target });
  else entries.push({ kind: entry.kind, name: entry.name, mode, uid });
  if (entry.kind === 'file' || entry.kind === 'hardlink') files.add(entry.name);
  return entries;
}

function parentsOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** The tar of each layer. Contents and times tell which entry it was. */
export function stackTars(stack: Stack): readonly Buffer[] {
  return stack.map((entries) => layerTar(...entries.map(entryTar)));
}

function entryTar({ kind, name, target = '', mode = 0o755, uid = 0 }: StackEntry, position: number): Buffer {
  switch (kind) {
    case 'file':
      return file(name, `${name}${position}`, { mode, mtime: 1000 + position });
    case 'folder':
      return folder(name, { mode, uid, mtime: 2000 + position });
    case 'symlink':
      return symlink(name, target);
    case 'hardlink':
      return hardlink(name, target);
    case 'whiteout':
      return whiteout(name);
    case 'opaque':
      return opaque(name);
  }
}
