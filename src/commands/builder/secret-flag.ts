import { accessSync, constants } from 'node:fs';
import type { BuildSecret } from '../../builder/request/build-request.ts';
import { OcitsError } from '../../errors.ts';
import { splitPair } from '../../options/pair.ts';

/**
 * Reads a value of `--secret`: `id=x,src=FILE`, `id=x,env=NAME`, or `id=x` alone for the variable x of our
 * environment, else the file x. Throws `invalid-argument`, `not-found`.
 */
export function parseSecret(text: string, env: NodeJS.ProcessEnv): readonly [id: string, BuildSecret] {
  const fields = new Map<string, string>();
  for (const field of text.split(',')) {
    const [written, value] = splitPair(field);
    const name = written.toLowerCase();
    if (value === undefined || !['id', 'src', 'source', 'env', 'type'].includes(name)) {
      throw fault(text, `${JSON.stringify(field)} is none of id=, src=, env= and type=`);
    }
    fields.set(name === 'source' ? 'src' : name, value);
  }
  const id = fields.get('id');
  if (id === undefined || id === '') throw fault(text, 'it has no id');
  const type = fields.get('type');
  if (type !== undefined && type !== 'file' && type !== 'env')
    throw fault(text, 'its type is neither file nor env');
  const path = fields.get('src');
  const name = fields.get('env') ?? (type === 'env' ? (path ?? id) : undefined);
  if (name !== undefined) return [id, { value: variable(name, env) }];
  const own = path === undefined && type === undefined ? env[id] : undefined;
  return [id, own === undefined ? { path: readable(path ?? id) } : { value: own }];
}

function variable(name: string, env: NodeJS.ProcessEnv): string {
  const value = env[name];
  if (value !== undefined) return value;
  throw new OcitsError('not-found', `--secret: there is no variable ${name} in the environment`);
}

function readable(path: string): string {
  try {
    accessSync(path, constants.R_OK);
    return path;
  } catch (cause) {
    throw new OcitsError('not-found', `--secret: the file ${path} cannot be read`, { cause });
  }
}

function fault(text: string, why: string): OcitsError {
  return new OcitsError('invalid-argument', `--secret ${JSON.stringify(text)}: ${why}`, {
    hint: 'write id=NAME,src=FILE or id=NAME,env=VARIABLE',
  });
}
