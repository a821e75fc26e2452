import { file, folder, hardlink, layerTar, opaque, symlink, whiteout } from './layer-tar.ts';
import { Random } from './random.ts';

/** A layer of a random stack, and what is in it, in words. */
export interface RandomLayer {
  readonly words: readonly string[];
  readonly tar: Buffer;
}

const NAMES = ['a', 'b', 'c'];
const MODES = [0o755, 0o700, 0o711];
const KINDS = ['file', 'file', 'folder', 'folder', 'symlink', 'hardlink', 'whiteout', 'opaque'] as const;

/**
 * A stack of layers with few names, so that everything happens to everything: types change within a layer and from
 * layer to layer, parents are listed or not, late or twice, symlinks lead anywhere, marks come before and after. Many
 * are faulty.
 */
export function randomStack(seed: number): RandomLayer[] {
  const random = new Random(seed);
  const files = new Set<string>();
  return random.several(1, 4, () => randomLayer(random, files));
}

function randomLayer(random: Random, files: Set<string>): RandomLayer {
  const words: string[] = [];
  const parts: Buffer[] = [];
  const path = () => random.several(1, 3, () => random.pick(NAMES)).join('/');
  const put = (kind: (typeof KINDS)[number], name: string, target = '') => {
    const mode = random.pick(MODES);
    const count = words.length;
    if (kind === 'file' || kind === 'hardlink') files.add(name);
    words.push(target === '' ? `${kind} ${name}` : `${kind} ${name} -> ${target}`);
    const makers = {
      file: () => file(name, `${name}${count}`, { mode, mtime: 1000 + count }),
      folder: () => folder(name, { mode, uid: random.below(3), mtime: 2000 + count }),
      symlink: () => symlink(name, target),
      hardlink: () => hardlink(name, target),
      whiteout: () => whiteout(name),
      opaque: () => opaque(name),
    };
    parts.push(makers[kind]());
  };
  for (let rest = 1 + random.below(6); rest > 0; rest--) {
    const name = path();
    const kind = random.pick(KINDS);
    if (random.chance(60)) for (const parent of parentsOf(name)) put('folder', parent);
    if (kind === 'hardlink') {
      if (files.size > 0) put(kind, name, random.pick([...files]));
    } else if (kind === 'symlink') {
      put(kind, name, random.chance(30) ? `/${path()}` : '../'.repeat(random.below(3)) + path());
    } else put(kind, name);
  }
  return { words, tar: layerTar(...parts) };
}

function parentsOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}
