import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDockerfile } from '../../../src/dockerfile/parse/parse.ts';
import { isOcitsError } from '../../../src/errors.ts';

const ROOT = new URL('../../../testdata/dockerfile/', import.meta.url).pathname;

export interface GoldenCase {
  readonly name: string;
  readonly dockerfile: Buffer;
  readonly expectedPath: string;
}

export function goldenCases(kind: 'valid' | 'invalid'): GoldenCase[] {
  return readdirSync(join(ROOT, kind))
    .sort()
    .map((name) => ({
      name,
      dockerfile: readFileSync(join(ROOT, kind, name, 'Dockerfile')),
      expectedPath: join(ROOT, kind, name, 'expected.json'),
    }));
}

/** What reading the file gives, as the text of expected.json. */
export function goldenResult({ dockerfile }: Pick<GoldenCase, 'dockerfile'>): string {
  return `${JSON.stringify(outcome(dockerfile), compact, 2)}\n`;
}

function outcome(dockerfile: Buffer): unknown {
  try {
    const { file: _file, ...parsed } = parseDockerfile(dockerfile, 'Dockerfile');
    return parsed;
  } catch (error) {
    if (!isOcitsError(error)) throw error;
    const { code, message, hint, location } = error;
    return { code, message, hint, location: `${location?.file}:${location?.line}:${location?.column}` };
  }
}

/** Places as short strings, maps as objects. */
function compact(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  if (typeof value !== 'object' || value === null) return value;
  if ('text' in value && 'at' in value) return `${place(value.at)} ${value.text}`;
  if ('start' in value && 'end' in value) return `${place(value.start)}-${place(value.end)}`;
  if ('line' in value && 'column' in value) return place(value);
  return value;
}

function place(at: unknown): string {
  const { line, column } = at as { line: number; column: number };
  return `${line}:${column}`;
}
