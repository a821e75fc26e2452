import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { imageCache } from '../scripts/images/base-images.ts';
import { writeLayout } from '../scripts/images/oci-layout.ts';

const PACKAGES =
  'gcc,g++,make,git,curl,python3,python3-venv,perl,autoconf,automake,libtool,imagemagick,libssl-dev,libpq-dev,libxml2-dev,libmagickwand-dev,subversion,mercurial';
/** Each becomes a layer of its own; what is in none is the first. */
const PARTS = [
  'usr/share',
  'usr/lib/gcc',
  'usr/include',
  'usr/lib/python3',
  'usr/lib/x86_64-linux-gnu',
  'usr/bin',
];

/** Two layouts: a development image of Debian in seven layers, and one that has the first four of them. */
export function largeImages(): { readonly large: string; readonly part: string } {
  const cache = imageCache();
  const large = join(cache, 'bench-large');
  const part = join(cache, 'bench-part');
  if (existsSync(large) && existsSync(part)) return { large, part };
  const tree = join(cache, 'tree-large');
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  execFileSync(
    'mmdebstrap',
    ['--mode=root', '--variant=minbase', '--quiet', `--include=${PACKAGES}`, suite(), tree, ...sources()],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  rmSync(join(tree, 'dev'), { recursive: true });
  const folders = [tree, ...PARTS.map((name) => splitOff(tree, name))];
  const layers = folders.map((folder) => ({ folder, createdBy: 'bench' }));
  const config = { Env: ['PATH=/usr/bin:/bin'], Cmd: ['bash'] };
  writeLayout(part, { name: 'bench-part', layers: layers.slice(0, 4), config });
  writeLayout(large, { name: 'bench-large', layers, config });
  for (const folder of folders) rmSync(folder, { recursive: true });
  return { large, part };
}

function splitOff(tree: string, name: string): string {
  const target = `${tree}-${name.replaceAll('/', '-')}`;
  rmSync(target, { recursive: true, force: true });
  mkdirSync(join(target, dirname(name)), { recursive: true });
  renameSync(join(tree, name), join(target, name));
  return target;
}

function suite(): string {
  return /^VERSION_CODENAME=(.+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
}

function sources(): readonly string[] {
  const wanted = new RegExp(`^(deb .*|Suites:.*) ${suite()}( |$)`, 'm');
  return [...globSync('/etc/apt/sources.list.d/*'), '/etc/apt/sources.list'].filter(
    (path) => existsSync(path) && wanted.test(readFileSync(path, 'utf8')),
  );
}
