import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { OcitsError } from '../../errors.ts';

export interface PromptOptions {
  /** What is typed does not appear. */
  readonly isSecret?: boolean | undefined;
  readonly signal: AbortSignal;
}

/**
 * Asks for one line on the terminal, the question on standard error. Throws `usage` where standard input is no
 * terminal, `aborted` for Ctrl-C and Ctrl-D.
 */
export async function prompt(question: string, options: PromptOptions): Promise<string> {
  const { stdin, stderr } = process;
  if (stdin.isTTY !== true) {
    throw new OcitsError('usage', `cannot ask for "${question.trim()}": standard input is no terminal`, {
      hint: 'give --username and --password-stdin',
    });
  }
  const { isSecret = false } = options;
  // An editor of lines that shows nothing: the question is written past it.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({
    input: stdin,
    output: isSecret ? silent : stderr,
    terminal: true,
    historySize: 0,
  });
  // Only now, as from here on the terminal does not show what is typed.
  if (isSecret) stderr.write(question);
  const ended = new AbortController();
  reader.once('close', () => ended.abort());
  reader.once('SIGINT', () => ended.abort());
  try {
    return await reader.question(isSecret ? '' : question, {
      signal: AbortSignal.any([options.signal, ended.signal]),
    });
  } catch (cause) {
    throw new OcitsError('aborted', 'interrupted', { cause });
  } finally {
    reader.close();
    if (isSecret) stderr.write('\n');
  }
}

/** All of standard input, without the line break at its end. At most `limitBytes`. */
export async function readStandardInput(limitBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limitBytes) throw new OcitsError('usage', `standard input has more than ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
