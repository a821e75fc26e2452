import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

/** The last node_modules of a path, and the package in it. */
const PACKAGE = /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//;

/** Packages that come without the text, and one of the same repository and author that has it. */
const ONE_REPOSITORY: Readonly<Record<string, string>> = { 'proxy-agent-negotiate': 'https-proxy-agent' };

/**
 * The licences of all packages of which the bundles hold code, each with its text. Throws where a package has none:
 * what may not be passed on without its licence is not passed on.
 */
export function bundledLicenses(root: string, bundles: readonly Metafile[]): string {
  const outputs = bundles.flatMap((bundle) => Object.values(bundle.outputs));
  const paths = outputs.flatMap(({ inputs }) => Object.keys(inputs));
  const packages = new Set(paths.flatMap((path) => PACKAGE.exec(path)?.[1] ?? []));
  const parts = [...packages].sort().map((path) => {
    const folder = join(root, path);
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const text = licenseText(folder) || licenseText(join(root, 'node_modules', ONE_REPOSITORY[name] ?? name));
    if (text === '' || license === undefined) throw new Error(`${path} has no licence to pass on`);
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  const start = 'ocits holds code of the packages below, under these licences.\n';
  return [start, ...parts].join(`\n${'-'.repeat(80)}\n\n`);
}

/** From its own file, or from the chapter of the readme; empty where there is neither. */
function licenseText(folder: string): string {
  const [file] = globSync('{LICENSE,LICENCE,License,Licence,license,licence,COPYING}{,.*}', {
    cwd: folder,
  }).sort();
  if (file !== undefined) return readFileSync(join(folder, file), 'utf8').trim();
  const [readme] = globSync('{README,readme}.md', { cwd: folder });
  if (readme === undefined) return '';
  const [, chapter = ''] = readFileSync(join(folder, readme), 'utf8').split(
    /^(?:#+ *Licen[sc]e|Licen[sc]e\n-+)$/im,
  );
  return chapter.trim();
}
