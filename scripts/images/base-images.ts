import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { writeLayout } from './oci-layout.ts';
import {
  makeBusybox,
  makeCertificates,
  makeDebian,
  makeNode,
  makeNpm,
  makeOnce,
} from './root-filesystems.ts';

export type BaseImage = 'busybox' | 'debian' | 'node';

const NPM_VERSION = '10.9.9';
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The folder of images that were made before; each recipe has its own, so that a change of recipe makes them anew. */
export function imageCache(): string {
  const recipe = ['base-images.ts', 'oci-layout.ts', 'root-filesystems.ts'].map((name) =>
    readFileSync(join(import.meta.dirname, name)),
  );
  const key = createHash('sha256')
    .update(Buffer.concat(recipe))
    .update(process.version)
    .digest('hex')
    .slice(0, 12);
  const caches = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(caches, 'ocits-base-images', key);
}

/** Makes the images that are not there yet, and gives each one's OCI layout. Debian takes about a minute, once. */
export function baseImages<T extends BaseImage>(
  names: readonly T[],
  cache: string = imageCache(),
): Record<T, string> {
  mkdirSync(cache, { recursive: true });
  const layouts = names.map((name) => {
    const layout = join(cache, name);
    if (!existsSync(layout)) RECIPES[name](cache, layout);
    return [name, layout] as const;
  });
  return Object.fromEntries(layouts) as Record<T, string>;
}

const RECIPES: Readonly<Record<BaseImage, (cache: string, layout: string) => void>> = {
  busybox: (cache, layout) => {
    const folder = join(cache, 'tree-busybox');
    makeOnce(folder, makeBusybox);
    writeLayout(layout, {
      name: 'busybox',
      layers: [{ folder, createdBy: 'busybox-static' }],
      config: { Env: [PATH], Cmd: ['sh'] },
    });
    rmSync(folder, { recursive: true });
  },
  debian: (cache, layout) => {
    writeLayout(layout, {
      name: 'debian',
      layers: [debianLayer(cache)],
      config: { Env: [PATH], Cmd: ['bash'] },
    });
  },
  node: (cache, layout) => {
    const folder = (name: string) => join(cache, `tree-${name}`);
    makeOnce(folder('certificates'), makeCertificates);
    makeOnce(folder('node'), (target) => makeNode(target, realpathSync(process.execPath)));
    makeOnce(folder('npm'), (target) => makeNpm(target, NPM_VERSION));
    const layers = [
      debianLayer(cache),
      { folder: folder('certificates'), createdBy: "the host's CA certificates" },
      { folder: folder('node'), createdBy: `node ${process.versions.node}` },
      { folder: folder('npm'), createdBy: `npm ${NPM_VERSION}` },
    ];
    const Env = [
      PATH,
      `NODE_VERSION=${process.versions.node}`,
      'NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt',
    ];
    writeLayout(layout, {
      name: 'node',
      layers,
      config: { Env, Entrypoint: ['docker-entrypoint.sh'], Cmd: ['node'] },
    });
    for (const name of ['certificates', 'node', 'npm']) rmSync(folder(name), { recursive: true });
  },
};

function debianLayer(cache: string): { folder: string; createdBy: string } {
  const folder = join(cache, 'tree-debian');
  makeOnce(folder, makeDebian);
  return { folder, createdBy: 'mmdebstrap --variant=minbase' };
}
