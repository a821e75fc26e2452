import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';

/**
 * Passes on what a process on a terminal joined to ours has printed and crun has left behind. To be called once crun
 * has ended, when our terminal is as it was before.
 */
export async function passOnLeftOutput(output: Buffer): Promise<void> {
  if (output.length === 0) return;
  const target: Writable = process.stdout;
  // The container's terminal has added the carriage returns, and ours adds them again.
  const text = isatty(1) ? output.toString('latin1').replaceAll('\r\n', '\n') : output.toString('latin1');
  await new Promise<void>((resolve) => target.write(text, 'latin1', () => resolve()));
}
