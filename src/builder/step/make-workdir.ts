import { join } from 'node:path';
import { type ResolvedUser, resolveUser, USER_FILE_LIMIT_BYTES } from '../../bundle/user.ts';
import { isOcitsError } from '../../errors.ts';
import { showPath, tooLong } from '../../layer/byte-path.ts';
import type { BytePath, DirectoryEntry, Time } from '../../layer/layer-change.ts';
import type { MergedTree } from '../../layer/merge/merged-tree.ts';
import { createLayerWriter } from '../../layer/tar/layer-writer.ts';
import { toBytes } from '../../system/file/byte-name.ts';
import type { BuildJob } from '../job/build-job.ts';
import { stepFolder } from '../job/step-folder.ts';
import type { WorkdirPlan } from '../plan/step-plan.ts';
import { BuildError } from '../request/build-error.ts';
import type { StepLayer } from '../solve/build-step.ts';
import type { Tree } from '../tree/tree.ts';
import { storeLayer } from './store-layer.ts';

const MODE = 0o755;
const ROOT = { uid: 0, gid: 0 };
const NO_TIME: Time = { seconds: 0, nanoseconds: 0 };

/** Makes the folder of a WORKDIR as a layer: an empty one where the tree has it. */
export async function makeWorkdir(
  plan: WorkdirPlan,
  job: BuildJob,
  below: Tree,
  signal: AbortSignal,
): Promise<StepLayer> {
  const tree = await (await job.content()).merged(below, signal);
  const { missing, present } = foldersOf(tree, plan, job);
  const { uid, gid } = missing.length === 0 ? ROOT : await findOwner(plan, job, below, signal);
  const { clampSeconds } = job;
  // The time that the build is given, as in BuildKit; else it is as old as the folder that it is made in, so that the
  // layer depends on no clock.
  const mtime =
    clampSeconds === undefined
      ? (present.at(-1)?.mtime ?? tree.lookup('')?.entry?.mtime ?? NO_TIME)
      : { seconds: clampSeconds, nanoseconds: 0 };
  const tarPath = join(await stepFolder(plan, job), 'layer.tar');
  using writer = createLayerWriter(tarPath, clampSeconds === undefined ? {} : { clampSeconds });
  if (missing.length > 0) for (const one of present) writer.add(one);
  for (const one of missing) writer.add({ type: 'directory', path: one, mode: MODE, uid, gid, mtime });
  return await storeLayer(job, tarPath, writer.finish());
}

/**
 * The folders on the way: those that are there, listed again so that the layer stands on its own, and those to make.
 */
function foldersOf(
  tree: MergedTree,
  plan: WorkdirPlan,
  job: BuildJob,
): { present: DirectoryEntry[]; missing: BytePath[] } {
  // As the parent of something, the last part is followed too where it is a symlink.
  const target = tree.resolve(`${toBytes(plan.path.slice(1))}/x`).replace(/\/?x$/, '');
  const fault = tooLong(target);
  if (fault !== undefined) throw failure(plan, job, `WORKDIR: ${showPath(`/${target}`)} ${fault}`);
  const parts = target.split('/');
  const present: DirectoryEntry[] = [];
  const missing: BytePath[] = [];
  for (const [index] of parts.entries()) {
    const one = parts.slice(0, index + 1).join('/');
    const found = tree.lookup(one, { followLast: false });
    if (found === undefined) missing.push(one);
    else if (found.entry?.type === 'directory') present.push({ ...found.entry, path: one });
    else if (found.entry !== undefined) {
      throw failure(plan, job, `WORKDIR ${plan.path}: /${one} is no folder`);
    }
  }
  return { present, missing };
}

async function findOwner(
  plan: WorkdirPlan,
  job: BuildJob,
  below: Tree,
  signal: AbortSignal,
): Promise<Pick<ResolvedUser, 'uid' | 'gid'>> {
  if (plan.user === '') return ROOT;
  const content = await job.content();
  const passwd = await content.readFile(below, 'etc/passwd', USER_FILE_LIMIT_BYTES, signal);
  const group = await content.readFile(below, 'etc/group', USER_FILE_LIMIT_BYTES, signal);
  try {
    return resolveUser(plan.user, passwd, group);
  } catch (error) {
    throw isOcitsError(error, 'not-found', 'invalid-argument') ? failure(plan, job, error.message) : error;
  }
}

function failure({ label, range }: WorkdirPlan, { file }: BuildJob, message: string): BuildError {
  const location = { file, line: range.start.line, endLine: range.end.line };
  return new BuildError('step-failed', message, { location }, { stepLabel: label });
}
