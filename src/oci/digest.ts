import { createHash, type Hash } from 'node:crypto';
import { OcitsError } from '../errors.ts';

declare const digestBrand: unique symbol;

/** A checked digest, `sha256:` and 64 lower-case hex digits (or `sha512:` and 128): safe as part of a path. */
export type Digest = string & { readonly [digestBrand]: true };

export type DigestAlgorithm = 'sha256' | 'sha512';

const HEX_LENGTH: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 };

/**
 * image-spec descriptor.md#digests: reads a digest, and refuses an algorithm that is not registered there,
 * a wrong length and any character that is not lower-case hex. Throws `invalid-digest`.
 */
export function parseDigest(text: string): Digest {
  const colon = text.indexOf(':');
  const algorithm = text.slice(0, Math.max(colon, 0));
  const hex = text.slice(colon + 1);
  if (!Object.hasOwn(HEX_LENGTH, algorithm)) {
    throw new OcitsError(
      'invalid-digest',
      `digest ${quote(text)}: algorithm ${quote(algorithm)} is not sha256 or sha512`,
    );
  }
  const length = HEX_LENGTH[algorithm as DigestAlgorithm];
  if (hex.length !== length || !/^[0-9a-f]+$/.test(hex)) {
    throw new OcitsError(
      'invalid-digest',
      `digest ${quote(text)}: wanted ${length} lower-case hex digits after the colon`,
    );
  }
  return text as Digest;
}

export function isDigest(text: unknown): text is Digest {
  if (typeof text !== 'string') return false;
  try {
    parseDigest(text);
    return true;
  } catch {
    return false;
  }
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.slice(0, digest.indexOf(':')) as DigestAlgorithm;
}

export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** The first twelve hex digits: how Docker prints an ID. */
export function shortDigest(digest: Digest): string {
  return digestHex(digest).slice(0, 12);
}

/** Loads what digests need, which takes a few milliseconds, before it is asked for. */
export function prepareDigests(): void {
  createHash('sha256');
}

/** The digest of `content`. */
export function digestOf(content: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return finishDigest(algorithm, createHash(algorithm).update(content));
}

/** Ends `hash` and names its result. */
export function finishDigest(algorithm: DigestAlgorithm, hash: Hash): Digest {
  return `${algorithm}:${hash.digest('hex')}` as Digest;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 160 ? `${text.slice(0, 160)}…` : text);
}
