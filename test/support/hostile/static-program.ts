import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UndoStack } from '../../../src/system/task/undo-stack.ts';

const SOURCES = join(import.meta.dirname, '../../../testdata/hostile');

/** A C program of testdata/hostile, linked so that it runs in any image of this architecture: its content. */
export async function staticProgram(name: string): Promise<Buffer> {
  await using undo = new UndoStack();
  const folder = mkdtempSync(join(tmpdir(), 'ocits-program-'));
  undo.defer(() => rmSync(folder, { recursive: true }));
  const program = join(folder, name);
  execFileSync('gcc', ['-static', '-O1', '-pthread', '-o', program, join(SOURCES, `${name}.c`)]);
  return readFileSync(program);
}
