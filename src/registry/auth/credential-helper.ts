import { isOcitsError, OcitsError } from '../../errors.ts';
import { runTool } from '../../system/process/spawn.ts';
import type { Credential } from './auth-file.ts';

/** What helpers print where they do not know the server; the protocol has no exit code for that. */
const NOT_FOUND = /credentials not found/i;

/**
 * Asks `docker-credential-NAME` for the credentials of a server. Undefined where it has none. Throws
 * `missing-program`, `tool-failed`, `invalid-config` (a name that could be a path).
 */
export async function helperGet(
  name: string,
  server: string,
  signal?: AbortSignal,
): Promise<Credential | undefined> {
  let printed: string;
  try {
    printed = await runHelper(name, 'get', server, signal);
  } catch (error) {
    if (isOcitsError(error, 'tool-failed') && NOT_FOUND.test(error.message)) return undefined;
    throw error;
  }
  const { Username: username, Secret: secret } = parseAnswer(printed, name);
  if (typeof username !== 'string' || typeof secret !== 'string' || secret === '') return undefined;
  if (username === '<token>') return { kind: 'identity-token', token: secret };
  return { kind: 'basic', username, password: secret };
}

/** Hands a credential to the helper's keeping. */
export async function helperStore(name: string, server: string, credential: Credential): Promise<void> {
  const entry =
    credential.kind === 'basic'
      ? { ServerURL: server, Username: credential.username, Secret: credential.password }
      : { ServerURL: server, Username: '<token>', Secret: credential.token };
  await runHelper(name, 'store', JSON.stringify(entry));
}

/** Takes a credential out of the helper's keeping; false where it had none. */
export async function helperErase(name: string, server: string): Promise<boolean> {
  if ((await helperGet(name, server)) === undefined) return false;
  await runHelper(name, 'erase', server);
  return true;
}

async function runHelper(name: string, verb: string, input: string, signal?: AbortSignal): Promise<string> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new OcitsError(
      'invalid-config',
      `${JSON.stringify(name)} cannot be the name of a credential helper`,
    );
  }
  const program = `docker-credential-${name}`;
  // What a helper prints when it fails goes to its standard output.
  const run = { input, okCodes: [0, 1, 2, 3], signal };
  const { stdout, stderr, exitCode } = await runTool(program, [verb], run);
  const text = stdout.toString('utf8');
  if (exitCode === 0) return text;
  const said = verb === 'get' ? `${text} ${stderr}`.trim().slice(0, 400) : stderr.trim();
  throw new OcitsError('tool-failed', `${program} ${verb} failed with exit code ${exitCode}: ${said}`, {
    exitCode,
  });
}

function parseAnswer(printed: string, name: string): Record<string, unknown> {
  try {
    return JSON.parse(printed) as Record<string, unknown>;
  } catch {
    throw new OcitsError('tool-failed', `docker-credential-${name} get did not print JSON`);
  }
}
