import { closeSync, mkdtempSync, openSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { remoteFetcher } from '../../../src/builder/add/remote.ts';
import { type IgnoreRules, NOTHING_IGNORED } from '../../../src/builder/context/ignore-file.ts';
import { FolderContext } from '../../../src/builder/context/local-folder.ts';
import { type CopyPlan, planCopy } from '../../../src/builder/copy/plan.ts';
import { type CopySelection, selectCopy } from '../../../src/builder/copy/select.ts';
import { writeCopyLayer } from '../../../src/builder/copy/write.ts';
import type { CopySource } from '../../../src/builder/source/copy-source.ts';
import { parseMode } from '../../../src/builder/target/mode.ts';
import { resolveOwner } from '../../../src/builder/target/owner.ts';
import { TreeSource } from '../../../src/builder/target/written-tree.ts';
import { expandInstruction } from '../../../src/dockerfile/expand/expand-instruction.ts';
import type { AddInstruction, CopyInstruction } from '../../../src/dockerfile/instruction.ts';
import { parseDockerfile } from '../../../src/dockerfile/parse/parse.ts';
import { createIndexBuilder, decodeIndex } from '../../../src/layer/index/layer-index.ts';
import type { FileEntry } from '../../../src/layer/layer-change.ts';
import { type MergedTree, mergeIndexes } from '../../../src/layer/merge/merged-tree.ts';
import { createLayerWriter } from '../../../src/layer/tar/layer-writer.ts';
import { readLayer } from '../../../src/layer/tar/read-layer.ts';
import { parseLine } from './copy-fixture.ts';

/** A temporary folder that goes with the test. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'ocits-copy-')));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** The tree that a layer with these entries shows, and the content of its files. */
function treeOf(lines: readonly string[]): { tree: MergedTree; contents: Map<number, Buffer> } {
  const builder = createIndexBuilder();
  const contents = new Map<number, Buffer>();
  let dataOffset = 0;
  const mtime = { seconds: 1_000_000_000, nanoseconds: 0 };
  for (const { type, mode, uid, gid, path, text } of lines.map(parseLine)) {
    const shared = { path, mode, uid, gid, mtime };
    if (type === 'symlink') builder.add({ ...shared, type, target: text });
    else if (type === 'directory') builder.add({ ...shared, type });
    else {
      const content = Buffer.from(text, 'latin1');
      contents.set(dataOffset, content);
      builder.add({ ...shared, type, sizeBytes: content.length, storedBytes: content.length, dataOffset });
      dataOffset += content.length + 1;
    }
  }
  return { tree: mergeIndexes([decodeIndex(builder.finish())]), contents };
}

/** Such a tree as a source of COPY; its files are written into `folder` to be opened. */
export function treeSource(name: string, lines: readonly string[], folder: string): CopySource {
  const { tree, contents } = treeOf(lines);
  const own = mkdtempSync(join(folder, 'tree-'));
  return new TreeSource(name, tree, ({ entry }) => {
    const { dataOffset } = entry as FileEntry;
    const path = join(own, String(dataOffset));
    writeFileSync(path, contents.get(dataOffset)!);
    const fd = openSync(path, 'r');
    return { fd, close: () => closeSync(fd) };
  });
}

export interface CopyRunRequest {
  /** Behind a FROM; WORKDIR lines before it count. */
  readonly lines: string;
  readonly context: string;
  readonly rules?: IgnoreRules;
  readonly base?: readonly string[];
  /** By `--from`. */
  readonly from?: Readonly<Record<string, readonly string[]>>;
  readonly passwd?: Readonly<Record<string, string>>;
  readonly scratch: string;
  readonly clampSeconds?: number;
  readonly timeSeconds?: number;
}

export interface CopyRun {
  readonly selection: CopySelection;
  readonly lines: readonly string[];
  /** Seconds, by path. */
  readonly times: ReadonlyMap<string, number>;
  readonly diffId: string;
}

/** Takes a COPY or ADD through selecting, planning and writing, and reads the layer back. */
export async function runCopy(request: CopyRunRequest): Promise<CopyRun> {
  const { stages } = parseDockerfile(`FROM scratch\n${request.lines}\n`, 'Dockerfile');
  const context = { file: 'Dockerfile', escapeChar: '\\', env: new Map() } as const;
  const instructions = stages[0]!.instructions.map((one) => expandInstruction(one, context));
  const workdir = instructions.findLast((one) => one.kind === 'WORKDIR')?.path.text ?? '/';
  const instruction = instructions.at(-1) as CopyInstruction | AddInstruction;
  const selection = await selectCopy({
    instruction,
    file: 'Dockerfile',
    source: sourceOf(instruction, request),
    fetch: remoteFetcher({ file: 'Dockerfile', scratch: request.scratch }),
  });
  await using plan = await planFor(selection, instruction, workdir, request);
  const path = join(request.scratch, 'layer.tar');
  using writer = createLayerWriter(
    path,
    request.clampSeconds === undefined ? {} : { clampSeconds: request.clampSeconds },
  );
  await writeCopyLayer(plan, writer);
  const { diffId, sizeBytes } = writer.finish();
  const { lines, times } = await readBack(path, sizeBytes);
  rmSync(path);
  return { selection, lines, times, diffId };
}

function sourceOf(
  instruction: CopyInstruction | AddInstruction,
  { context, rules = NOTHING_IGNORED, from, scratch }: CopyRunRequest,
): CopySource {
  if (instruction.kind === 'COPY' && instruction.from !== undefined) {
    return treeSource(`stage ${instruction.from.text}`, from![instruction.from.text]!, scratch);
  }
  return new FolderContext(realpathSync(context), rules);
}

async function planFor(
  selection: CopySelection,
  instruction: CopyInstruction | AddInstruction,
  workdir: string,
  { base, passwd, scratch, timeSeconds = 1_234_567_890 }: CopyRunRequest,
): Promise<CopyPlan> {
  const readFile = async (path: string) => {
    const content = passwd?.[path];
    return content === undefined ? undefined : Buffer.from(content);
  };
  const { chown, chmod, destination, link } = instruction;
  return await planCopy({
    selection,
    file: 'Dockerfile',
    destination,
    workdir,
    base: base === undefined || link ? undefined : treeOf(base).tree,
    timeSeconds,
    scratch,
    ...(chown === undefined ? {} : { owner: await resolveOwner('Dockerfile', chown, readFile) }),
    ...(chmod === undefined ? {} : { mode: parseMode('Dockerfile', chmod) }),
  });
}

const LETTERS: Readonly<Record<string, string>> = {
  file: 'f',
  directory: 'd',
  symlink: 'l',
  hardlink: 'h',
  fifo: 'p',
  char: 'c',
  block: 'b',
};

async function readBack(path: string, sizeBytes: number) {
  const lines: string[] = [];
  const times = new Map<string, number>();
  const content: Buffer[] = [];
  await readLayer(
    { path, compression: 'none', sizeBytes },
    {
      change(change) {
        if (change.type === 'whiteout' || change.type === 'opaque') throw new Error(`marker ${change.path}`);
        const { type, mode, uid, gid, path: at, mtime } = change;
        const link = type === 'symlink' || type === 'hardlink' ? `->${change.target}` : '';
        const device = type === 'char' || type === 'block' ? ` ${change.major},${change.minor}` : '';
        const name = Buffer.from(at, 'latin1').toString('utf8');
        lines.push(`${LETTERS[type]} ${mode.toString(8)} ${uid}:${gid} ${name}${link}${device}`);
        times.set(at, mtime.seconds);
      },
      data: (chunk) => content.push(Buffer.from(chunk)),
      fileEnd() {
        lines.push(`${lines.pop()}=${Buffer.concat(content.splice(0)).toString('latin1')}`);
      },
    },
  );
  return { lines, times };
}
