import { OcitsError } from '../../errors.ts';
import { type RetryContext, withRetry } from '../http/retry.ts';
import type { RegistrySession } from '../session/registry-session.ts';

const PAGE_LIMIT_BYTES = 4 * 1024 * 1024;
const TAG_LIMIT = 100_000;

/** distribution-spec *Listing tags*: all of them, page by page. Throws `not-found`, `hostile` for what is no list. */
export async function listTags(session: RegistrySession, retry: RetryContext): Promise<readonly string[]> {
  const { registry, path } = session.endpoint;
  const what = `list the tags of ${registry}/${path}`;
  const tags: string[] = [];
  const seen = new Set<string>();
  for (let page: string | undefined = `/v2/${path}/tags/list`; page !== undefined; ) {
    if (seen.has(page) || tags.length > TAG_LIMIT) throw new OcitsError('hostile', `${what}: it has no end`);
    seen.add(page);
    const { names, next } = await fetchPage(session, page, what, retry);
    tags.push(...names);
    page = next;
  }
  return tags;
}

async function fetchPage(
  session: RegistrySession,
  page: string,
  what: string,
  retry: RetryContext,
): Promise<{ names: readonly string[]; next: string | undefined }> {
  const scopes = [`repository:${session.endpoint.path}:pull`];
  return await withRetry(what, retry, async () => {
    const response = await session.request({ method: 'GET', path: page, scopes, what }, retry);
    if (response.status !== 200) throw await session.error(response, what);
    const link = /<([^>]+)>\s*;\s*rel="?next"?/.exec(response.header('link') ?? '')?.[1];
    const names = readNames(await response.read(PAGE_LIMIT_BYTES), what);
    return { names, next: link === undefined ? undefined : pathOf(link, response.url) };
  });
}

/** Only the path counts: a registry does not send us elsewhere for its tags. */
function pathOf(link: string, base: URL): string | undefined {
  if (!URL.canParse(link, base.href)) return undefined;
  const { pathname, search } = new URL(link, base);
  return pathname + search;
}

function readNames(content: Buffer, what: string): readonly string[] {
  try {
    const { tags } = JSON.parse(content.toString('utf8')) as { tags?: unknown | undefined };
    if (tags == null) return [];
    if (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')) return tags;
  } catch {
    // Said below, like a list of something else.
  }
  throw new OcitsError('hostile', `${what}: the registry did not answer with a list of tags`);
}
