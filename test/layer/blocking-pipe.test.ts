import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openBlockingPipe, readBlocking } from '../../src/layer/compress/blocking-pipe.ts';

async function newPipe() {
  const folder = mkdtempSync(join(tmpdir(), 'ocits-pipe-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { reader, writer } = await openBlockingPipe(join(folder, 'pipe'));
  onTestFinished(() => closeSync(reader));
  expect(readdirSync(folder)).toEqual([]);
  return { reader, writer };
}

test('all that a program writes comes through, and no name stays', async () => {
  const { reader, writer } = await newPipe();
  spawn('seq', ['1', '500000'], { stdio: ['ignore', writer, 'inherit'] });
  closeSync(writer);
  const lines: string[] = [];
  for await (const chunk of readBlocking(reader, undefined)) lines.push(chunk.toString());
  const numbers = lines.join('').trimEnd().split('\n');
  expect(numbers).toEqual(Array.from({ length: 500_000 }, (_, at) => String(at + 1)));
});

test('an abort ends the reading of what would never end', async () => {
  const controller = new AbortController();
  const { reader, writer } = await newPipe();
  const child = spawn('yes', [], { stdio: ['ignore', writer, 'inherit'] });
  closeSync(writer);
  setTimeout(() => controller.abort(new Error('stop')), 50);
  const read = async () => {
    for await (const _chunk of readBlocking(reader, controller.signal));
  };
  await expect(read()).rejects.toThrow('stop');
  child.kill();
});
