import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import type { DiffOptions } from '../../src/snapshotter/snapshotter.ts';
import {
  type AppliedStack,
  type SnapshotterFactory,
  type TemporarySnapshotter,
  temporarySnapshotter,
} from '../support/image/temporary-snapshotter.ts';
import { detailed, device, file, folder, hardlink, layerTar, symlink } from '../support/layer/layer-tar.ts';
import { listTree } from '../support/layer/list-tree.ts';
import { mountTree } from '../support/layer/mount-tree.ts';
import { makeChanges, randomChanges } from '../support/layer/random-changes.ts';
import { makeTree } from '../support/layer/sample-tree.ts';
import { RANDOM_CASES } from '../support/program/random-cases.ts';

const BASE = layerTar(
  folder('bin', { mode: 0o711 }),
  file('bin/tool', 'tool', { mode: 0o4755, uid: 3 }),
  hardlink('bin/tool2', 'bin/tool'),
  folder('etc'),
  file('etc/conf', 'conf'),
  folder('data'),
  file('data/a', 'a'),
  file('data/b', 'b'),
  folder('old'),
  file('old/x', 'x'),
  symlink('link', 'data'),
  device('null', 1, 3),
  detailed(file('cap', 'cap'), { xattrs: { 'user.k': 'v' } }),
);

/** Changes of all kinds, by a process in the tree. */
const CHANGES = `
set -e
cd "$1"
echo new > etc/new; chmod 600 etc/new; chown 1000:1001 etc/new
echo more >> etc/conf
rm bin/tool2
rm -r old; mkdir -m 1777 old; echo y > old/y
rm -r data; echo file > data
mkdir -p app/deep/er; ln app/deep/../../etc/new app/hard; ln -s /etc/conf app/soft
mkfifo -m 640 app/fifo; mknod app/null c 1 3; mknod app/loop b 7 300
rm null; chmod 700 bin
setfattr -n user.new -v value etc/conf; setfattr -x user.k cap
setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 app/hard
truncate -s 5M app/sparse; touch -d @-5.25 app/early; touch -h -d @7.123456789 app/soft
printf x > "$(printf 'n\\377\\nm')"
touch -d @3000000000 app/late
`;

interface Committed {
  readonly temporary: TemporarySnapshotter;
  readonly base: AppliedStack;
  readonly tarPath: string;
  readonly diffId: ReturnType<typeof digestOf>;
  /** The tree as the process left it, and as it is once it is a layer. */
  readonly before: Record<string, string>;
  readonly after: Record<string, string>;
  readonly keys: readonly ReturnType<typeof digestOf>[];
}

/** What was written, what became of it, and what the tar gives elsewhere. */
export function activeTests(factory: SnapshotterFactory): void {
  const change = async (
    temporary: TemporarySnapshotter,
    script: string,
    options: Partial<DiffOptions> = {},
    tars: readonly Buffer[] = [BASE],
  ): Promise<Committed> => {
    const { snapshotter } = temporary;
    const base = await temporary.stack(tars);
    const [name, tarPath] = [temporary.name(), temporary.name()];
    const active = await snapshotter.prepare(name, base.keys);
    let before: Record<string, string>;
    {
      await using mounted = await mountTree(active.mounts);
      execFileSync('sh', ['-c', script, 'sh', mounted.root], { stdio: 'pipe' });
      before = await listTree(mounted.root, { withoutRoot: true });
    }
    const { diffId } = await snapshotter.diff(name, { tarPath, ...options });
    expect(diffId).toBe(digestOf(readFileSync(tarPath)));
    const key = await snapshotter.commit(name, base.diffIds, diffId);
    const keys = [...base.keys, key];
    await using mounted = await mountTree(await snapshotter.view(keys));
    const after = await listTree(mounted.root, { withoutRoot: true });
    return { temporary, base, tarPath, diffId, before, after, keys };
  };
  const unpackElsewhere = async ({ tarPath }: Committed, tars: readonly Buffer[] = [BASE]) => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys } = await temporary.stack([...tars, readFileSync(tarPath)]);
    await using mounted = await mountTree(await temporary.snapshotter.view(keys));
    return await listTree(mounted.root, { withoutRoot: true });
  };

  test('a layer that was committed is what its tar gives elsewhere', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const committed = await change(temporary, CHANGES);
    expect(committed.after).toEqual(wholeSeconds(committed.before));
    expect(await unpackElsewhere(committed)).toEqual(committed.after);
    expect((await temporary.snapshotter.stat([...committed.base.diffIds, committed.diffId]))?.diffId).toBe(
      committed.diffId,
    );
  });

  test('random changes: the tree stays, and is what its tars give elsewhere', async () => {
    const base = layerTar(folder('a'), file('a/b', 'x'), folder('b'), folder('b/a'));
    const layers = fc.tuple(randomChanges, randomChanges, randomChanges);
    const property = fc.asyncProperty(layers, async (changesOfLayers) => {
      await using temporary = await temporarySnapshotter(factory);
      const { keys, diffIds } = await temporary.stack([base]);
      const [stack, digests, tars] = [[...keys], [...diffIds], [] as string[]];
      for (const changes of changesOfLayers) {
        const [name, tarPath] = [temporary.name(), temporary.name()];
        let before: Record<string, string>;
        {
          await using mounted = await mountTree((await temporary.snapshotter.prepare(name, stack)).mounts);
          makeChanges(mounted.root, changes);
          before = await listTree(mounted.root, { withoutRoot: true });
        }
        const { diffId } = await temporary.snapshotter.diff(name, { tarPath });
        stack.push(await temporary.snapshotter.commit(name, digests, diffId));
        digests.push(diffId);
        tars.push(tarPath);
        await using mounted = await mountTree(await temporary.snapshotter.view(stack));
        const after = await listTree(mounted.root, { withoutRoot: true });
        expect(after).toEqual(wholeSeconds(before));
      }
      await using mounted = await mountTree(await temporary.snapshotter.view(stack));
      const here = await listTree(mounted.root);
      await using elsewhere = await temporarySnapshotter(factory);
      const other = await elsewhere.stack([base, ...tars.map((path) => readFileSync(path))]);
      await using view = await mountTree(await elsewhere.snapshotter.view(other.keys));
      const there = await listTree(view.root);
      expect({ ...there, '': '' }).toEqual({ ...here, '': '' });
    });
    await fc.assert(property, { ...RANDOM_CASES, numRuns: 8 });
  });

  test('everything that a layer can hold goes through a diff', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys, diffIds } = await temporary.stack([layerTar(folder('below'))]);
    const [name, tarPath] = [temporary.name(), temporary.name()];
    const active = await temporary.snapshotter.prepare(name, keys);
    let before: Record<string, string>;
    {
      await using mounted = await mountTree(active.mounts);
      makeTree(mounted.root);
      before = await listTree(mounted.root, { withoutRoot: true });
    }
    const { diffId } = await temporary.snapshotter.diff(name, { tarPath });
    const key = await temporary.snapshotter.commit(name, diffIds, diffId);
    await using mounted = await mountTree(await temporary.snapshotter.view([...keys, key]));
    expect(await listTree(mounted.root, { withoutRoot: true })).toEqual(wholeSeconds(before));
  });

  test('times are clamped in the tar and in the layer alike', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const committed = await change(temporary, CHANGES, { clampSeconds: 1_700_000_000 });
    const times = Object.values(committed.after).map((line) => BigInt(/ t(-?\d+)/.exec(line)![1]!));
    expect(times.every((time) => time <= 1_700_000_000_000_000_000n)).toBe(true);
    expect(await unpackElsewhere(committed)).toEqual(committed.after);
  });

  test('the same changes give the same digest, whatever the kernel marks', async () => {
    const script = 'cd "$1"; mkdir -p app/x etc/y; echo 1 > app/x/1; rm -r data; mkdir data; touch data/z';
    const digests = new Set<string>();
    for (const first of ['true', 'cd "$1"; touch gone; rm gone; mkdir tmp; rmdir tmp']) {
      await using temporary = await temporarySnapshotter(factory);
      digests.add((await change(temporary, `(${first}); ${script}`, { clampSeconds: 0 })).diffId);
    }
    expect(digests.size).toBe(1);
  });

  test('a removed folder that was made anew is opaque on any base', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const committed = await change(
      temporary,
      'cd "$1"; rm -r data; mkdir -m 755 data; mkdir new; touch data/c new/d',
    );
    const other = [layerTar(folder('data'), file('data/other'), folder('new'), file('new/other'))];
    expect(Object.keys(await unpackElsewhere(committed, other))).toEqual([
      'data',
      'data/c',
      'new',
      'new/d',
      'new/other',
    ]);
    const { keys } = await temporary.stack([...other, readFileSync(committed.tarPath)]);
    await using mounted = await mountTree(await temporary.snapshotter.view(keys));
    expect(Object.keys(await listTree(mounted.root, { withoutRoot: true }))).toContain('new/other');
  });

  test('nothing written is an empty layer', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const committed = await change(temporary, 'true');
    expect(readFileSync(committed.tarPath)).toEqual(Buffer.alloc(1024));
    expect(committed.after).toEqual(committed.before);
  });

  test('a change of the root folder itself is kept', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const committed = await change(temporary, 'chmod 1777 "$1"; chown 4:5 "$1"');
    await using mounted = await mountTree(await temporary.snapshotter.view(committed.keys));
    expect((await listTree(mounted.root))['']).toMatch(/^directory 1777 4:5 /);
    await using elsewhere = await temporarySnapshotter(factory);
    const { keys } = await elsewhere.stack([BASE, readFileSync(committed.tarPath)]);
    await using view = await mountTree(await elsewhere.snapshotter.view(keys));
    expect((await listTree(view.root))['']).toMatch(/^directory 1777 4:5 /);
  });

  test('sockets go, from the layer as from its tar', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const script = `cd "$1"; mkdir s; node -e "const s=require('net').createServer().listen('s/k',()=>process.exit())"; test -S s/k`;
    const committed = await change(temporary, script);
    expect(Object.keys(committed.after).filter((path) => path.startsWith('s'))).toEqual(['s']);
    expect(await unpackElsewhere(committed)).toEqual(committed.after);
  });

  test('a large diff, from a thread', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const script =
      'cd "$1"; mkdir many; for i in $(seq 600); do mkdir many/$i; echo $i > many/$i/f; done; head -c 9M /dev/zero > big';
    const committed = await change(temporary, script);
    expect(Object.keys(committed.after).filter((path) => path.startsWith('many/'))).toHaveLength(1200);
    expect(await unpackElsewhere(committed)).toEqual(committed.after);
  });

  test('what is committed twice is there once', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const [one, two] = [
      await change(temporary, 'cd "$1"; touch -d @5 x; touch -d @5 .', { clampSeconds: 5 }),
      await change(temporary, 'cd "$1"; touch -d @5 x; touch -d @5 .', { clampSeconds: 5 }),
    ];
    expect(two.keys).toEqual(one.keys);
    expect(await Array.fromAsync(temporary.snapshotter.list())).toHaveLength(2);
    expect(two.after).toEqual(one.after);
  });

  test('a diff that leaves things as they are, of a tree in use', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys, diffIds } = await temporary.stack([BASE]);
    const name = temporary.name();
    await using mounted = await mountTree((await temporary.snapshotter.prepare(name, keys)).mounts);
    execFileSync('sh', ['-c', CHANGES, 'sh', mounted.root]);
    const before = await listTree(mounted.root);
    const diff = await temporary.snapshotter.diff(name, { tarPath: temporary.name(), isReadOnly: true });
    expect(diff.entries).toBeGreaterThan(10);
    expect(await listTree(mounted.root)).toEqual(before);
    await expect(temporary.snapshotter.commit(name, diffIds, diff.diffId)).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });

  test('an active snapshot is found again with what it holds', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys } = await temporary.stack([BASE]);
    const name = temporary.name();
    for (const isVolatile of [true, true, false]) {
      await using mounted = await mountTree(
        (await temporary.snapshotter.prepare(name, keys, [], { isVolatile })).mounts,
      );
      writeFileSync(join(mounted.root, 'count'), 'x', { flag: 'a' });
    }
    await using mounted = await mountTree((await temporary.snapshotter.prepare(name, keys)).mounts);
    expect(readFileSync(join(mounted.root, 'count'), 'utf8')).toBe('xxx');
    await expect(temporary.snapshotter.prepare(name, [])).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  test('usage counts what was written', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys } = await temporary.stack([BASE]);
    const name = temporary.name();
    const active = await temporary.snapshotter.prepare(name, keys);
    expect(await temporary.snapshotter.usage(name)).toEqual({ sizeBytes: 0, entries: 0 });
    await using mounted = await mountTree(active.mounts);
    writeFileSync(join(mounted.root, 'f'), 'x'.repeat(1000));
    execFileSync('ln', [join(mounted.root, 'f'), join(mounted.root, 'g')]);
    expect(await temporary.snapshotter.usage(name)).toEqual({ sizeBytes: 1000, entries: 2 });
  });

  test('usage counts what it can reach, also while a process changes the tree', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const name = temporary.name();
    await using mounted = await mountTree((await temporary.snapshotter.prepare(name, [])).mounts);
    // Deeper than any path can say.
    const deep =
      "for (const name of Array(30).fill('d'.repeat(200))) { fs.mkdirSync(name); process.chdir(name); }";
    execFileSync(process.execPath, ['-e', deep], { cwd: mounted.root });
    const churn = 'cd "$0"; while :; do mkdir -p a/b; touch a/b/1 a/b/2 c; rm -r a c; done';
    const child = spawn('sh', ['-c', churn, mounted.root], { stdio: 'ignore' });
    try {
      const end = Date.now() + 700;
      while (Date.now() < end) {
        expect((await temporary.snapshotter.usage(name)).entries).toBeGreaterThan(10);
        await setImmediate();
      }
    } finally {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
  });

  test('a diff without an active snapshot, or a commit without its diff, is an error', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const options = { tarPath: temporary.name() };
    await expect(temporary.snapshotter.diff(temporary.name(), options)).rejects.toMatchObject({
      code: 'not-found',
    });
    const name = temporary.name();
    await temporary.snapshotter.prepare(name, []);
    await expect(temporary.snapshotter.commit(name, [], digestOf('x'))).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
}

/** A listing with all times of folders and files cut to whole seconds, as a layer has them. */
function wholeSeconds(list: Record<string, string>): Record<string, string> {
  const cut = (line: string) =>
    line.replace(/ t(-?\d+)/, (_, text: string) => {
      const time = BigInt(text);
      const rest = ((time % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
      return ` t${time - rest}`;
    });
  return Object.fromEntries(Object.entries(list).map(([path, line]) => [path, cut(line)]));
}
