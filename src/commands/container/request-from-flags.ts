import { requireAbsent } from '../../cli/argv/flag-files.ts';
import type { CreateValues } from '../../container/flags/create-flags.ts';
import type { CreateRequest } from '../../container/flags/create-request.ts';
import { createRequest } from '../../container/flags/parse-create-flags.ts';

/** What `create` and `run` are asked for. Throws what is wrong with it, before anything is done. */
export function requestFromFlags(
  flags: CreateValues & { readonly cidfile: string | undefined },
  args: readonly string[],
): CreateRequest {
  const request = createRequest(flags, args as [string, ...string[]]);
  requireAbsent(flags.cidfile);
  return request;
}
