import { readFileSync } from 'node:fs';

/** Set by the bundler; from source it is read from package.json. */
declare const OCITS_VERSION: string | undefined;

/** The version of this program, as in package.json. */
export function programVersion(): string {
  if (typeof OCITS_VERSION === 'string') return OCITS_VERSION;
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
