import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CommandLine, type Finished } from '../support/program/command-line.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';

let ocits: CommandLine;

beforeAll(async () => {
  ocits = await CommandLine.open(['busybox']);
});

afterAll(async () => await ocits[Symbol.asyncDispose]());

/** A store on a small disk of its own, its run folder elsewhere, as it is on a host. */
class SmallDisk implements AsyncDisposable {
  readonly folder = join(ocits.folder, 'disk');
  readonly go = join(ocits.folder, 'go');
  readonly env = { OCITS_ROOT: join(this.folder, 'root'), OCITS_RUN: join(ocits.folder, 'small-run') };

  constructor(kind: string) {
    for (const folder of [this.folder, this.go]) mkdirSync(folder, { recursive: true });
    const image = join(ocits.folder, 'disk.img');
    if (kind === 'tmpfs') execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', this.folder]);
    else {
      execFileSync('truncate', ['-s', '48M', image]);
      execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', image]);
      execFileSync('mount', ['-o', 'loop', image, this.folder]);
    }
  }

  async run(...args: string[]): Promise<Finished> {
    return await ocits.run(args, { env: this.env });
  }

  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout;
  }

  /** Starts a container that waits for `name` in its folder, and then ends with `command`. */
  async start(name: string, command: string): Promise<void> {
    const script = `echo begun; until test -e /go/${name}; do sleep 0.02; done; ${command}`;
    const flags = ['--name', name, '--network', 'none', '-v', `${this.go}:/go`, '-v', '/data'];
    await this.ok('run', '-d', ...flags, 'busybox', 'sh', '-c', script);
  }

  /** Lets a container go on, and waits for its end. */
  async end(name: string): Promise<void> {
    writeFileSync(join(this.go, name), '');
    const isRunning = async () => (await this.ok('ps', '-q', '-f', `name=^${name}$`)) !== '';
    await vi.waitUntil(async () => !(await isRunning()), { timeout: PATIENCE_MS, interval: 50 });
  }

  /** No byte more fits. */
  fill(): void {
    const filling = () => execFileSync('sh', ['-c', 'cat /dev/zero >> "$0"', join(this.folder, 'filler')]);
    expect(filling).toThrow('No space left');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(join(this.folder, 'filler'), { force: true });
    const { stdout } = await this.run('ps', '-aq');
    if (stdout !== '') await this.run('rm', '-f', ...stdout.trim().split('\n'));
    execFileSync('umount', [this.folder]);
    for (const folder of [this.go, this.env.OCITS_RUN]) rmSync(folder, { recursive: true, force: true });
  }
}

describe.each(['tmpfs', 'ext4'])('containers that end while the disk (%s) is full', (kind) => {
  test('are listed with their exit codes, read, stopped, removed and pruned', async () => {
    await using disk = new SmallDisk(kind);
    await disk.run('pull', '-q', 'busybox');
    await disk.start('filler', 'cat /dev/zero > /big; exit 7');
    await disk.start('ender', 'exit 9');
    await disk.start('sleeper', 'exit 1');
    await disk.end('filler');
    disk.fill();
    await disk.end('ender');
    for (const [name, code] of [
      ['filler', '7\n'],
      ['ender', '9\n'],
    ] as const) {
      expect(await disk.ok('wait', name)).toBe(code);
      expect(await disk.ok('inspect', '-f', '{{.State.ExitCode}}', name)).toBe(code);
    }
    expect(await disk.ok('ps', '-a', '--format', '{{.Names}} {{.State}}')).toBe(
      'sleeper running\nender exited\nfiller exited\n',
    );
    expect(await disk.ok('logs', 'ender')).toBe('begun\n');
    expect(await disk.ok('exec', 'sleeper', 'echo', 'fine')).toBe('fine\n');
    for (const words of [
      'images',
      'system df',
      'volume ls',
      'history busybox',
      'top sleeper',
      'system info',
    ]) {
      await disk.ok(...words.split(' '));
    }
    expect(await disk.ok('stop', '-t', '0', 'sleeper')).toBe('sleeper\n');
    expect(await disk.ok('inspect', '-f', '{{.State.ExitCode}}', 'sleeper')).toBe('137\n');
    expect(await disk.ok('rm', '-f', '-v', 'sleeper')).toBe('sleeper\n');
    disk.fill();
    expect(await disk.ok('system', 'prune', '-f', '--volumes')).toMatch(/^Deleted Containers:\n(.{64}\n){2}/);
    expect(await disk.ok('ps', '-aq')).toBe('');
    expect(readdirSync(join(disk.folder, 'root/volumes'))).toEqual([]);
    expect(readdirSync(join(disk.env.OCITS_RUN, 'exits'))).toEqual([]);
    expect(await disk.ok('run', '--rm', '--network', 'none', 'busybox', 'echo', 'fine')).toBe('fine\n');
  });

  test('keep their exit codes when there is room again', async () => {
    await using disk = new SmallDisk(kind);
    await disk.run('pull', '-q', 'busybox');
    await disk.start('ender', 'exit 9');
    disk.fill();
    await disk.end('ender');
    rmSync(join(disk.folder, 'filler'));
    await disk.ok('ps');
    // A boot empties the run folder.
    expect(readdirSync(join(disk.env.OCITS_RUN, 'exits'))).toEqual([]);
    expect(await disk.ok('wait', 'ender')).toBe('9\n');
  });

  test('leave room for images to be removed, and their layers', async () => {
    await using disk = new SmallDisk(kind);
    await disk.run('pull', '-q', 'busybox');
    await disk.ok('run', '--rm', '--network', 'none', 'busybox', 'true');
    disk.fill();
    expect(await disk.ok('rmi', 'busybox')).toMatch(/^Untagged: busybox:latest\n/);
    expect(await disk.ok('system', 'prune', '-af')).toContain('Total reclaimed space');
    expect(await disk.ok('images', '-q')).toBe('');
    expect(readdirSync(join(disk.folder, 'root/blobs/sha256'))).toEqual([]);
  });
});
