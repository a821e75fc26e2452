/**
 * The room of build contexts: a folder of the host or a tar on standard input, without what the `.dockerignore`
 * leaves out. Only `build.ts` calls it. All other rooms have the context as a `CopySource`, and cannot tell which
 * kind it is. It reads the folder of a user and never writes there; the digests that it remembers are in the build
 * cache.
 *
 *     await using context = await openContext({ context: '.', stdin: () => process.stdin, scratch, signal });
 *     const dockerfile = parseDockerfile(context.dockerfile.content, context.dockerfile.name);
 */

import { closeSync, constants, createWriteStream, openSync } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { suggest } from '../../dockerfile/text/suggest.ts';
import { isErrno, OcitsError, wrapError } from '../../errors.ts';
import { toBytes } from '../../system/file/byte-name.ts';
import { detectArchive } from '../add/archive-form.ts';
import { remoteKind } from '../add/remote.ts';
import type { CopySource, SourceEntry } from '../source/copy-source.ts';
import { cleanFromRoot, toText } from '../source/path.ts';
import { resolvePath } from '../source/resolve.ts';
import { type IgnoreRules, NOTHING_IGNORED, parseIgnoreFile } from './ignore-file.ts';
import { FolderContext } from './local-folder.ts';
import { openTarContext, type TarContext } from './tar.ts';

export interface ContextRequest {
  /** A folder; or `-`: standard input has a tar archive, or a Dockerfile alone. */
  readonly context: string;
  /** `-f`: a path from the working directory (from the archive's root), or `-` for standard input. */
  readonly dockerfile?: string | undefined;
  /** Opens standard input, which takes a few milliseconds: called where it is the context or the Dockerfile. */
  readonly stdin: () => Readable;
  /** A private folder, for what comes by standard input. */
  readonly scratch: string;
  /** `$OCITS_ROOT`, where digests of files are remembered. */
  readonly storeRoot?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a build starts from. Disposing deletes what came by standard input. */
export interface BuildContext extends AsyncDisposable {
  readonly source: CopySource;
  /** `name`: for messages. */
  readonly dockerfile: { readonly name: string; readonly content: Buffer };
}

const MAX_DOCKERFILE_BYTES = 4 * 1024 * 1024;
const DEFAULT_NAME = 'Dockerfile';

/**
 * Opens a build context and reads its Dockerfile. Which files are ignored is in `<Dockerfile>.dockerignore` beside the
 * Dockerfile, else in the context's `.dockerignore`. Throws `not-found` where the folder or the Dockerfile is not there,
 * `usage` where both are to come by standard input, `unsupported` for URLs and git repositories, `syntax` for a bad
 * ignore file.
 */
export async function openContext(request: ContextRequest): Promise<BuildContext> {
  const { context, dockerfile } = request;
  if (context === '-') {
    if (dockerfile === '-') {
      throw new OcitsError('usage', 'the context and the Dockerfile cannot both come by standard input');
    }
    return await fromStdin(request);
  }
  if (remoteKind(context) !== undefined) {
    const hint = 'clone or download it first, and build from the folder';
    throw new OcitsError('unsupported', `cannot build from ${context} yet`, { hint });
  }
  return await fromFolder(request);
}

async function fromFolder(request: ContextRequest): Promise<BuildContext> {
  const { context, dockerfile, stdin, storeRoot } = request;
  const root = await contextFolder(context);
  if (dockerfile === '-') {
    const rules = (await readRules(join(root, '.dockerignore'), root)) ?? NOTHING_IGNORED;
    const content = await readAll(stdin());
    const source = new FolderContext(root, rules, storeRoot);
    return { source, dockerfile: { name: '-', content }, [Symbol.asyncDispose]: async () => {} };
  }
  const { path, content } = await findDockerfile(context, root, dockerfile);
  const rules =
    (await readRules(`${path}.dockerignore`, root)) ??
    (await readRules(join(context, '.dockerignore'), root));
  const source = new FolderContext(root, rules ?? NOTHING_IGNORED, storeRoot);
  return { source, dockerfile: { name: path, content }, [Symbol.asyncDispose]: async () => {} };
}

async function contextFolder(context: string): Promise<string> {
  try {
    const root = await realpath(context);
    if ((await stat(root)).isDirectory()) return root;
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) {
      throw wrapError(error, 'permission', `cannot open the build context ${context}`);
    }
    throw new OcitsError('not-found', `the build context ${context} is not there`, {
      cause: error,
      hint: 'name the folder with the files of the build, such as .',
    });
  }
  throw new OcitsError('invalid-argument', `the build context ${context} is a file, not a folder`, {
    hint: `name the folder, and the Dockerfile by -f ${context}`,
  });
}

async function findDockerfile(
  context: string,
  root: string,
  given: string | undefined,
): Promise<{ readonly path: string; readonly content: Buffer }> {
  const path = given ?? join(context, DEFAULT_NAME);
  const content = await readIfThere(path, root);
  if (content !== undefined) return { path, content };
  if (given === undefined) {
    for (const name of ['dockerfile', 'Containerfile']) {
      const other = await readIfThere(join(context, name), root);
      if (other !== undefined) return { path: join(context, name), content: other };
    }
  }
  const folder = dirname(path);
  const near = suggest(basename(path), await namesIn(folder));
  throw new OcitsError('not-found', `there is no ${basename(path)} in ${folder}`, {
    hint: near === undefined ? 'name it with -f' : `did you mean -f ${join(folder, near)}?`,
  });
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => []);
}

async function readRules(path: string, root: string): Promise<IgnoreRules | undefined> {
  const content = await readIfThere(path, root);
  return content === undefined ? undefined : parseIgnoreFile(content.toString('utf8'), path);
}

async function readIfThere(path: string, root?: string): Promise<Buffer | undefined> {
  try {
    // A fifo would be waited for, and a device may have no end.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) throw notRegular(path);
    if (stats.size > MAX_DOCKERFILE_BYTES) throw tooBig(path);
    if (root !== undefined) await checkStaysInside(path, root);
    const content = await file.readFile();
    if (content.length <= MAX_DOCKERFILE_BYTES) return content;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw wrapError(error, 'permission', `cannot read ${path}`);
  }
  throw tooBig(path);
}

/**
 * Somebody else may have made the context: by a symlink in it, a message about a fault would show lines of any file of
 * the host.
 */
async function checkStaysInside(path: string, root: string): Promise<void> {
  const [folder, file] = await Promise.all([realpath(dirname(path)), realpath(path)]);
  if (!isInside(folder, root) || isInside(file, root)) return;
  throw new OcitsError('invalid-argument', `${path} is a symlink that leads out of the build context`, {
    hint: `if that is what you want, name the file itself: -f ${file}`,
  });
}

function isInside(path: string, root: string): boolean {
  return path === root || path.startsWith(root === '/' ? root : `${root}/`);
}

function notRegular(path: string): OcitsError {
  return new OcitsError('invalid-argument', `${path} is not a regular file`, {
    hint: 'a Dockerfile may also come by standard input: -f -',
  });
}

function tooBig(name: string): OcitsError {
  return new OcitsError('invalid-argument', `${name} is over ${MAX_DOCKERFILE_BYTES / 1024 / 1024} MiB`);
}

async function readAll(stdin: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_DOCKERFILE_BYTES) throw tooBig('the Dockerfile');
  }
  return Buffer.concat(chunks);
}

/** Standard input is spooled to a file: whether it is an archive is seen in its first bytes, and it is read twice. */
async function fromStdin(request: ContextRequest): Promise<BuildContext> {
  const { stdin, scratch, signal, dockerfile = DEFAULT_NAME } = request;
  const spool = join(scratch, 'context-stdin');
  const options = signal === undefined ? {} : { signal };
  await pipeline(stdin(), createWriteStream(spool, { flags: 'wx', mode: 0o600 }), options);
  const fd = openSync(spool, 'r');
  try {
    const form = await detectArchive(fd);
    if (form === undefined) return await dockerfileAlone(spool, request.dockerfile);
    const tar = await openTarContext(fd, form, join(scratch, 'context.tar'), signal);
    return await withDockerfile(tar, dockerfile);
  } finally {
    closeSync(fd);
  }
}

async function dockerfileAlone(spool: string, given: string | undefined): Promise<BuildContext> {
  if (given !== undefined) {
    throw new OcitsError('usage', 'standard input is no archive, so there is no file to name with -f');
  }
  const content = (await readIfThere(spool))!;
  return { source: NO_FILES, dockerfile: { name: '-', content }, [Symbol.asyncDispose]: async () => {} };
}

/** The context of a Dockerfile that came alone. */
const NO_FILES: CopySource = {
  name: 'the build context (a Dockerfile from standard input has none)',
  keepsSpecials: false,
  entry: (path): SourceEntry | undefined =>
    path === ''
      ? { path, type: 'directory', mode: 0o755, uid: 0, gid: 0, sizeBytes: 0, mtimeSeconds: 0 }
      : undefined,
  children: () => [],
  whyMissing: () => undefined,
  open: ({ path }) => {
    throw new OcitsError('not-found', `${toText(path)} is not there`);
  },
  digests: async () => [],
};

async function withDockerfile(tar: TarContext, name: string): Promise<BuildContext> {
  try {
    const { source } = tar;
    const path = resolvePath((at) => source.entry(at), toBytes(cleanFromRoot(name)));
    const entry = source.entry(path);
    if (entry?.type !== 'file') {
      throw new OcitsError('not-found', `there is no ${name} in the archive from standard input`, {
        hint: 'name it with -f, as a path in the archive',
      });
    }
    if (entry.sizeBytes > MAX_DOCKERFILE_BYTES) throw tooBig(name);
    const content = await source.content(entry);
    return { source, dockerfile: { name, content }, [Symbol.asyncDispose]: () => tar[Symbol.asyncDispose]() };
  } catch (error) {
    await tar[Symbol.asyncDispose]();
    throw error;
  }
}
