import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { GrowingFile } from '../../src/system/file/growing-file.ts';

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ocits-growing-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'file');
  writeFileSync(path, '');
  return path;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('gives what is appended, also after a rename, and ends when it is told', async () => {
  const path = newFile();
  const file = new GrowingFile(path);
  const content = buffer(file);
  const parts = Array.from({ length: 20 }, (_, index) => Buffer.alloc(index * 100_000, index));
  for (const [index, part] of parts.entries()) {
    if (index === 10) renameSync(path, `${path}-moved`);
    appendFileSync(index < 10 ? path : `${path}-moved`, part);
    if (index % 3 === 0) await turn();
    file.grew();
  }
  file.end();
  expect((await content).equals(Buffer.concat(parts))).toBe(true);
});

test('ends at once where nothing more comes', async () => {
  const path = newFile();
  writeFileSync(path, 'all');
  const file = new GrowingFile(path);
  file.end();
  expect((await buffer(file)).toString()).toBe('all');
});

test('a failure that nobody sees ends nothing', async () => {
  const file = new GrowingFile(newFile());
  file.destroy(new Error('no more'));
  await turn();
  expect(file.destroyed).toBe(true);
});

test('fails with what it is destroyed with, and takes no harm from what comes then', async () => {
  const file = new GrowingFile(newFile());
  const content = buffer(file);
  await turn();
  file.destroy(new Error('no more'));
  file.grew();
  file.end();
  await expect(content).rejects.toThrow('no more');
});
