import { readFlagFile, requireAbsent } from '../../cli/argv/flag-files.ts';
import type { CreateFlags } from '../../container/flags/create-flags.ts';
import type { CreateRequest } from '../../container/flags/create-request.ts';
import { parseCreateFlags } from '../../container/flags/parse-create-flags.ts';

/** What `create` and `run` are asked for. Throws what is wrong with it, before anything is done. */
export function requestFromFlags(
  flags: CreateFlags & { readonly cidfile?: string | undefined },
  args: readonly string[],
): CreateRequest {
  const request = parseCreateFlags(flags, args as [string, ...string[]], {
    folder: process.cwd(),
    env: process.env,
    readFile: readFlagFile,
  });
  requireAbsent(flags.cidfile);
  return request;
}
