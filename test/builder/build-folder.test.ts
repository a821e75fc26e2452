import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtempDisposable, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { abandonedBuildFolders, OwnBuildFolder } from '../../src/builder/job/build-folder.ts';
import { sweepBuilds } from '../../src/builder/job/sweep-builds.ts';
import { pruneBuilder } from '../../src/builder/prune-builder.ts';
import { buildHost, type TestBuildHost } from '../support/builder/build-host.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';
import { isRunning, ownSleep } from '../support/program/processes.ts';

describe('the folder of a build', () => {
  it('goes with the build, and is not abandoned while that runs', async () => {
    await using own = await mkdtempDisposable(join(tmpdir(), 'ocits-builds-'));
    const root = own.path;
    const paths = { root, run: join(root, 'run') };
    {
      await using folder = new OwnBuildFolder(paths);
      await folder.make();
      await mkdir(folder.runPath, { recursive: true });
      expect(await abandonedBuildFolders(paths)).toEqual([]);
      expect(await readdir(join(root, 'builds'))).toEqual([folder.id]);
    }
    expect(await readdir(join(root, 'builds'))).toEqual([]);
    expect(await readdir(join(paths.run, 'builds'))).toEqual([]);
  });
});

describe('a build that was killed', () => {
  it('may be cleared away by two commands at once', async () => {
    await using made = await buildHost();
    const { store, engine } = made;
    const folders = ['build-1', 'build-2'].map((id) => join(store.paths.root, 'builds', id));
    for (const folder of folders) await mkdir(folder, { recursive: true });
    // The other command is done before this one has come to the second folder.
    const other = async () => {
      for (const folder of folders) await rm(folder, { recursive: true, force: true });
      return await engine.network();
    };
    await sweepBuilds({ ...engine, network: other });
    expect(await readdir(join(store.paths.root, 'builds'))).toEqual([]);
  });

  it.each([
    ['the next one', (made: TestBuildHost) => made.build('FROM busybox\nLABEL next=1\n')],
    [
      'a prune of the cache',
      ({ engine, call }: TestBuildHost) => pruneBuilder(engine, call, { isAll: true }),
    ],
  ])('is cleared away by %s: its command, network, mounts and files', async (_by, clear) => {
    await using made = await buildHost();
    const dockerfile = join(made.folder, 'Dockerfile');
    const sleep = ownSleep();
    await writeFile(dockerfile, `FROM busybox\nRUN echo started && ${sleep}\n`);
    const script = join(made.folder, 'run.ts');
    await writeFile(script, SCRIPT(made.store.paths, made.context, dockerfile));
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    const { root } = made.store.paths;
    expect(await readdir(join(root, 'builds'))).toHaveLength(1);
    // The word that it has begun comes before it sleeps.
    await vi.waitUntil(() => isRunning(sleep), PATIENCE_MS);

    await clear(made);
    expect(await readdir(join(root, 'builds'))).toEqual([]);
    expect(isRunning(sleep)).toBe(false);
    expect(await readFile('/proc/self/mounts', 'utf8')).not.toContain(root);
    const crun = join(made.store.paths.run, 'crun');
    expect(existsSync(crun) ? await readdir(crun) : []).toEqual([]);
  });
});

/** A build in a process of its own, which tells when its RUN has begun. */
const SCRIPT = (paths: object, context: string, dockerfile: string) => `
import { buildImage } from '${join(import.meta.dirname, '../../src/builder/build.ts')}';
import { openCall } from '${join(import.meta.dirname, '../../src/call.ts')}';
import { openEngine } from '${join(import.meta.dirname, '../../src/open-engine.ts')}';
import { hostPlatform } from '${join(import.meta.dirname, '../../src/oci/platform.ts')}';
const paths = ${JSON.stringify(paths)};
const call = openCall('build', { emit: (event) => event.type === 'output' && console.log('started') });
await buildImage(openEngine({ paths }), call, {
  source: { context: ${JSON.stringify(context)}, dockerfile: ${JSON.stringify(dockerfile)}, stdin: () => process.stdin },
  target: { platform: hostPlatform(), buildArgs: new Map() },
  cache: { isUsed: true, pullsAlways: false },
  run: { network: 'none', extraHosts: [], rlimits: [], secrets: new Map() },
  output: { tags: [], labels: {} },
});
`;
