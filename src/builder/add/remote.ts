import { createHash } from 'node:crypto';
import { closeSync, createWriteStream, openSync } from 'node:fs';
import type { Agent } from 'node:http';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Word } from '../../dockerfile/source.ts';
import { isOcitsError, OcitsError, wrapError } from '../../errors.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import { type Digest, digestAlgorithm, finishDigest, parseDigest } from '../../oci/digest.ts';
import { toBytes } from '../../system/file/byte-name.ts';
import { copyError } from '../source/copy-error.ts';
import type { OpenSource } from '../source/copy-source.ts';

/** A remote file that is on this machine. */
export interface FetchedFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** When the server says that it changed last; else 0. */
  readonly mtimeSeconds: number;
}

/** What an ADD names by a URL. */
export interface RemoteFile {
  /** The last part of the URL's path. */
  readonly name: BytePath;
  /** Of its content: as the Dockerfile says it, else as it was fetched. */
  readonly digest: Digest;
  /** Gets it where that has not happened yet. Throws `network`, `not-found`, `digest-mismatch` at the URL. */
  load(): Promise<FetchedFile>;
}

/** Whether a source of ADD is a URL, and of what: `http` for a file, `git` for a repository. */
export function remoteKind(text: string): 'http' | 'git' | undefined {
  if (/^(?:git|ssh):\/\//.test(text) || /^[\w.-]+@[\w.-]+:/.test(text)) return 'git';
  if (!/^https?:\/\//.test(text)) return undefined;
  return /^[^?#]*\.git(?:[?#]|$)/.test(text) ? 'git' : 'http';
}

export interface RemoteOptions {
  /** The Dockerfile's name. */
  readonly file: string;
  /** A private folder for what is fetched. */
  readonly scratch: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Gets remote files. One with a checksum is fetched only when it is loaded: its digest is known, so that a cached step
 * needs no network. Any other is fetched at once, each time: nothing else tells whether it is still the same.
 */
export function remoteFetcher(options: RemoteOptions) {
  let count = 0;
  return async (url: Word, checksum: Word | undefined): Promise<RemoteFile> => {
    const wanted = checksum === undefined ? undefined : readChecksum(options.file, checksum);
    const path = join(options.scratch, `remote-${process.pid}-${count++}`);
    const name = nameOf(options.file, url);
    if (wanted === undefined) {
      const { digest, ...fetched } = await fetchFile(url, path, undefined, options);
      return { name, digest, load: async () => fetched };
    }
    let loading: Promise<FetchedFile> | undefined;
    const load = () => (loading ??= fetchFile(url, path, wanted, options));
    return { name, digest: wanted, load };
  };
}

/** Opens a file of this machine as a source. */
export function openHostFile(path: string): OpenSource {
  const fd = openSync(path, 'r');
  return { fd, close: () => closeSync(fd) };
}

function readChecksum(file: string, word: Word): Digest {
  try {
    return parseDigest(word.text);
  } catch (error) {
    throw copyError(file, word, 'syntax', (error as Error).message, 'write sha256: and 64 hex digits');
  }
}

function nameOf(file: string, url: Word): BytePath {
  try {
    const last = decodeURIComponent(new URL(url.text).pathname.split('/').at(-1) ?? '');
    return last === '' || last === '.' || last === '..' || /[/\0]/.test(last) ? '__unnamed__' : toBytes(last);
  } catch (cause) {
    throw copyError(
      file,
      url,
      'syntax',
      `invalid URL ${JSON.stringify(url.text)}: ${(cause as Error).message}`,
    );
  }
}

async function fetchFile(
  url: Word,
  path: string,
  wanted: Digest | undefined,
  { file, signal }: RemoteOptions,
): Promise<FetchedFile & { readonly digest: Digest }> {
  const algorithm = wanted === undefined ? 'sha256' : digestAlgorithm(wanted);
  const hash = createHash(algorithm);
  let sizeBytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  try {
    const { body, mtimeSeconds } = await get(url.text, signal);
    const output = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    await pipeline(body, count, output, signal === undefined ? {} : { signal });
    const digest = finishDigest(algorithm, hash);
    if (wanted !== undefined && digest !== wanted) {
      throw new OcitsError('digest-mismatch', `${url.text} has the digest ${digest}, not ${wanted}`);
    }
    return { path, sizeBytes, mtimeSeconds, digest };
  } catch (error) {
    if (isOcitsError(error, 'aborted')) throw error;
    const fault = wrapError(error, 'network', `cannot fetch ${url.text}`);
    throw copyError(file, url, fault.code, fault.message, fault.hint);
  }
}

async function get(url: string, signal: AbortSignal | undefined) {
  const { default: fetch } = await import('node-fetch');
  const agent = await agentChooser();
  const response = await fetch(url, {
    agent,
    headers: { 'user-agent': 'ocits' },
    ...(signal === undefined ? {} : { signal: signal as never }),
  });
  if (response.ok && response.body !== null) {
    const changed = Date.parse(response.headers.get('last-modified') ?? '');
    return { body: response.body, mtimeSeconds: Number.isNaN(changed) ? 0 : Math.floor(changed / 1000) };
  }
  const code = response.status === 404 || response.status === 410 ? 'not-found' : 'network';
  throw new OcitsError(
    code,
    `cannot fetch ${url}: the server answers ${response.status} ${response.statusText}`,
  );
}

/** Proxies of the environment, and the authorities that the system trusts. */
async function agentChooser(): Promise<(url: URL) => Agent> {
  const [{ getProxyForUrl }, http, https, { HttpProxyAgent }, { HttpsProxyAgent }, tls] = await Promise.all([
    import('proxy-from-env'),
    import('node:http'),
    import('node:https'),
    import('http-proxy-agent'),
    import('https-proxy-agent'),
    import('node:tls'),
  ]);
  return (url) => {
    const proxy = getProxyForUrl(url.href);
    if (url.protocol === 'http:') return proxy === '' ? new http.Agent() : new HttpProxyAgent(proxy);
    const ca = [...tls.getCACertificates('default'), ...tls.getCACertificates('system')];
    if (proxy === '') return new https.Agent({ ca });
    const agent = new HttpsProxyAgent(proxy);
    // What its constructor takes is for the connection to the proxy; this is for the server behind it.
    Object.assign(agent.options, { ca });
    return agent;
  };
}
