import { OcitsError } from '../../errors.ts';
import { registryOfKey } from './auth-file.ts';

const HOST = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;

/**
 * The registry that a user means by SERVER of `login` and `logout`: `host[:port]`, also with a scheme and a path such
 * as `/v1/`; Docker Hub where there is none. Throws `invalid-argument`.
 */
export function parseLoginServer(text: string | undefined): string {
  if (text === undefined) return 'docker.io';
  const [, host = '', path = ''] = /^(?:https?:\/\/)?([^/]*)(.*)$/s.exec(text) ?? [];
  if (HOST.test(host) && /^(?:\/(?:v[12]\/?)?)?$/.test(path)) return registryOfKey(host);
  throw new OcitsError(
    'invalid-argument',
    `${JSON.stringify(text)} is not a registry: wanted is host[:port]`,
  );
}
