import { OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from '../../oci/digest.ts';
import { DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../oci/media-types.ts';
import { MANIFEST_LIMIT_BYTES } from '../../oci/parse-manifest.ts';
import type { HttpResponse } from '../http/response.ts';
import { type RetryContext, withRetry } from '../http/retry.ts';
import type { FetchedManifest } from '../registry-client.ts';
import type { RegistrySession } from '../session/registry-session.ts';

const ACCEPT = [OCI_INDEX, DOCKER_INDEX, OCI_MANIFEST, DOCKER_MANIFEST, '*/*;q=0.1'].join(', ');

/**
 * distribution-spec *Checking if content exists*: what `target` points at, by HEAD; by GET where the answer to HEAD
 * lacks digest, size or media type. Throws `not-found`, `digest-mismatch`.
 */
export async function resolveManifest(
  session: RegistrySession,
  target: string,
  retry: RetryContext,
): Promise<Descriptor> {
  const what = `resolve ${nameOf(session, target)}`;
  const found = await withRetry(what, retry, async () => {
    const response = await request(session, 'HEAD', target, what, retry);
    if (response.status === 400 || response.status === 405) return undefined;
    if (response.status !== 200) throw await session.error(response, what);
    response.discard();
    return describe(response, target, what);
  });
  return found ?? (await fetchManifest(session, target, retry)).descriptor;
}

function describe(response: HttpResponse, target: string, what: string): Descriptor | undefined {
  const digest = response.header('docker-content-digest');
  const size = response.header('content-length');
  const mediaType = mediaTypeOf(response);
  if (!isDigest(digest) || size === undefined || mediaType === undefined) return undefined;
  if (isDigest(target) && target !== digest) throw mismatch(what, target, digest);
  return { mediaType, digest, size: Number(size) };
}

/**
 * distribution-spec *Pulling manifests*: at most 4 MiB (`hostile` over that). The digest is verified: against
 * `target` where that is one, else against what the registry says it is.
 */
export async function fetchManifest(
  session: RegistrySession,
  target: string,
  retry: RetryContext,
): Promise<FetchedManifest> {
  const what = `fetch ${nameOf(session, target)}`;
  return await withRetry(what, retry, async () => {
    const response = await request(session, 'GET', target, what, retry);
    if (response.status !== 200) throw await session.error(response, what);
    const content = await response.read(MANIFEST_LIMIT_BYTES);
    const said = response.header('docker-content-digest');
    const wanted = isDigest(target) ? target : isDigest(said) ? said : undefined;
    const digest = wanted === undefined ? digestOf(content) : digestOf(content, digestAlgorithm(wanted));
    if (wanted !== undefined && digest !== wanted) throw mismatch(what, wanted, digest);
    const mediaType = mediaTypeOf(response) ?? mediaTypeInside(content) ?? OCI_MANIFEST;
    return { descriptor: { mediaType, digest, size: content.length }, content };
  });
}

/** distribution-spec *Pushing manifests*. Returns the digest, which the registry must agree with. */
export async function putManifest(
  session: RegistrySession,
  target: string,
  content: Buffer,
  mediaType: string,
  retry: RetryContext,
): Promise<Digest> {
  const what = `push ${nameOf(session, target)}`;
  const digest = digestOf(content, isDigest(target) ? digestAlgorithm(target) : undefined);
  if (isDigest(target) && target !== digest) throw mismatch(what, target, digest);
  const { path } = session.endpoint;
  await withRetry(what, retry, async () => {
    const response = await session.request(
      {
        method: 'PUT',
        path: manifestPath(path, target),
        headers: { 'content-type': mediaType },
        body: content,
        scopes: [`repository:${path}:pull,push`],
        what,
      },
      retry,
    );
    if (response.status < 200 || response.status > 299) throw await session.error(response, what);
    response.discard();
    const said = response.header('docker-content-digest');
    if (said !== undefined && isDigest(said) && said.startsWith('sha256:') && said !== digest) {
      throw mismatch(what, digest, said);
    }
  });
  return digest;
}

async function request(
  session: RegistrySession,
  method: 'HEAD' | 'GET',
  target: string,
  what: string,
  retry: RetryContext,
): Promise<HttpResponse> {
  const { path } = session.endpoint;
  const scopes = [`repository:${path}:pull`];
  const headers = { accept: ACCEPT };
  return await session.request({ method, path: manifestPath(path, target), headers, scopes, what }, retry);
}

function manifestPath(path: string, target: string): string {
  return `/v2/${path}/manifests/${target}`;
}

function nameOf({ endpoint }: RegistrySession, target: string): string {
  return `${endpoint.registry}/${endpoint.path}${isDigest(target) ? '@' : ':'}${target}`;
}

/** The media type without parameters; undefined where it says nothing about what the content is. */
function mediaTypeOf(response: HttpResponse): string | undefined {
  const type = (response.header('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase();
  return /^application\/vnd\./.test(type) ? type : undefined;
}

function mediaTypeInside(content: Buffer): string | undefined {
  try {
    const { mediaType } = JSON.parse(content.toString('utf8')) as { mediaType?: unknown | undefined };
    return typeof mediaType === 'string' && mediaType !== '' ? mediaType : undefined;
  } catch {
    return undefined;
  }
}

function mismatch(what: string, wanted: string, got: string): OcitsError {
  return new OcitsError('digest-mismatch', `${what}: wanted is ${wanted}, but the registry has ${got}`);
}
