import { OcitsError } from '../errors.ts';
import { type Digest, parseDigest } from './digest.ts';

/** A name of an image: `domain/path[:tag][@digest]`, the domain always spelled out. */
export interface Reference {
  /** Host and optional port, such as `docker.io` or `localhost:5000`. */
  readonly domain: string;
  /** The repository within the registry, such as `library/node`. */
  readonly path: string;
  readonly tag?: string | undefined;
  readonly digest?: Digest | undefined;
}

const DEFAULT_DOMAIN = 'docker.io';
const LEGACY_DOMAIN = 'index.docker.io';
const OFFICIAL_PREFIX = 'library/';

const DOMAIN_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const PATH_PART = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const PATH_LIMIT = 255;

/**
 * Reads a reference as Docker does: `node` is `docker.io/library/node`. Neither tag nor digest is added; see
 * `withDefaultTag`. Throws `invalid-reference` with the part at fault.
 */
export function parseReference(text: string): Reference {
  const fault = (why: string, hint?: string) =>
    new OcitsError('invalid-reference', `invalid reference ${JSON.stringify(text)}: ${why}`, { hint });
  if (text === '') throw fault('it is empty');
  if (/^[0-9a-f]{64}$/.test(text)) throw fault('64 hex digits are an ID, not a name');
  const at = text.indexOf('@');
  const named = at < 0 ? text : text.slice(0, at);
  let digest: Digest | undefined;
  if (at >= 0) {
    try {
      digest = parseDigest(text.slice(at + 1));
    } catch (error) {
      throw fault((error as Error).message);
    }
  }
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  const name = hasTag ? named.slice(0, colon) : named;
  if (tag !== undefined && !TAG.test(tag)) {
    throw fault(`tag ${JSON.stringify(tag)} is not 1 to 128 letters, digits, "_", "." or "-"`);
  }
  const { domain, path } = splitDomain(name);
  if (!DOMAIN.test(domain))
    throw fault(`registry ${JSON.stringify(domain)} is not a host name with an optional port`);
  for (const part of path.split('/')) {
    if (PATH_PART.test(part)) continue;
    if (part !== part.toLowerCase())
      throw fault(
        `repository name must be lowercase: ${JSON.stringify(part)}`,
        `write ${JSON.stringify(text.replace(part, part.toLowerCase()))}`,
      );
    throw fault(
      part === ''
        ? 'a part of the repository name is empty'
        : `${JSON.stringify(part)} cannot be part of a repository name`,
    );
  }
  if (path.length + domain.length + 1 > PATH_LIMIT)
    throw fault(`the repository name has more than ${PATH_LIMIT} characters`);
  return { domain, path, tag, digest };
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isDomain =
    slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const domain = isDomain ? first : DEFAULT_DOMAIN;
  const rest = isDomain ? name.slice(slash + 1) : name;
  if (domain !== DEFAULT_DOMAIN && domain !== LEGACY_DOMAIN) return { domain, path: rest };
  return { domain: DEFAULT_DOMAIN, path: rest.includes('/') ? rest : `${OFFICIAL_PREFIX}${rest}` };
}

/** `reference` with the tag `latest` where it has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined
    ? { ...reference, tag: 'latest' }
    : reference;
}

/** The name that is looked up: with its tag, and without it where it has a digest, as Docker has it. */
export function exactName(reference: Reference): Reference {
  const { domain, path, digest } = reference;
  return digest === undefined ? withDefaultTag(reference) : { domain, path, digest };
}

/** The full spelling, which `parseReference` reads back to the same value. */
export function formatReference(reference: Reference): string {
  return `${reference.domain}/${reference.path}${suffix(reference)}`;
}

/** The spelling that Docker prints: without `docker.io/` and `library/`. */
export function familiarName(reference: Reference): string {
  return `${familiarRepository(reference)}${suffix(reference)}`;
}

/** The repository as Docker prints it, without tag and digest; in full where the short form would be another one. */
export function familiarRepository({ domain, path }: Reference): string {
  if (domain !== DEFAULT_DOMAIN) return `${domain}/${path}`;
  const name = path.startsWith(OFFICIAL_PREFIX) ? path.slice(OFFICIAL_PREFIX.length) : path;
  const short = name.includes('/') ? path : name;
  const read = splitDomain(short);
  return read.domain === domain && read.path === path ? short : `${domain}/${path}`;
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}
