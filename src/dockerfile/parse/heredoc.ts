import { OcitsError } from '../../errors.ts';
import { dockerfileError } from '../dockerfile-error.ts';
import { expandText } from '../expand/expand-word.ts';
import type { Heredoc } from '../instruction.ts';
import { type LineReader, type LogicalLine, positionAt } from '../text/logical-line.ts';

const FORM = /^(\d*)<<(-?)\s*([^<]*)$/;
const NO_VARIABLES: ReadonlyMap<string, string> = new Map();

type HeredocStart = Pick<Heredoc, 'name' | 'expand' | 'chomp' | 'fileDescriptor'>;

/** Reads `<<NAME`, `<<-NAME`, `3<<NAME` with a name that may be quoted; undefined where a word is nothing such. */
export function readHeredocWord(word: string): HeredocStart | undefined {
  const match = FORM.exec(word);
  const rest = match?.[3] ?? '';
  if (match === null || rest === '') return undefined;
  const options = { escapeChar: '\\', keepUnset: true } as const;
  const plain = tryExpand(() => expandText(rest, NO_VARIABLES, options).words);
  const raw = tryExpand(() => expandText(rest, NO_VARIABLES, { ...options, rawQuotes: true }).words);
  const [name] = plain ?? [];
  if (name === undefined || plain?.length !== 1 || raw?.length !== 1) return undefined;
  return {
    name,
    // An escaped quote stays in both forms. A quote that quotes stays in the raw form alone.
    expand: quotes(name) === quotes(raw[0]!),
    chomp: match[2] === '-',
    fileDescriptor: Number(match[1] || '0'),
  };
}

function quotes(text: string): number {
  return text.replace(/[^'"]/g, '').length;
}

/** A line that the shell's rules cannot cut into words holds no here-documents. */
function tryExpand<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof OcitsError) return undefined;
    throw error;
  }
}

/**
 * The here-documents that a RUN, COPY or ADD announces, with their bodies, which follow one after the other.
 * Throws `syntax` where the file ends before a body does.
 */
export function readHeredocs(file: string, line: LogicalLine, reader: LineReader): Heredoc[] {
  if (!line.text.includes('<<')) return [];
  const options = { escapeChar: '\\', rawQuotes: true, rawEscapes: true, keepUnset: true } as const;
  const words = tryExpand(() => expandText(line.text, NO_VARIABLES, options).words) ?? [];
  let from = 0;
  const found: Heredoc[] = [];
  for (const word of words) {
    const start = readHeredocWord(word);
    if (start === undefined) continue;
    const offset = Math.max(line.text.indexOf(word, from), from);
    from = offset + word.length;
    const at = positionAt(line, offset);
    const content = readBody(start, reader);
    if (content === undefined) {
      throw dockerfileError(file, at, `here-document ${start.name} has no end`, {
        hint: `put ${start.name} alone on a line behind its text`,
      });
    }
    found.push({ ...start, content, at });
  }
  return found;
}

function readBody({ name, chomp }: HeredocStart, reader: LineReader): string | undefined {
  const lines: string[] = [];
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    const text = chomp ? line.text.replace(/^\t+/, '') : line.text;
    if (text === name) return lines.join('');
    lines.push(line.text + line.end);
  }
  return undefined;
}

/** What a here-document says: its content, without leading tabs where it was written with `<<-`. */
export function heredocText({ content, chomp }: Pick<Heredoc, 'content' | 'chomp'>): string {
  return chomp ? content.replace(/^\t+/gm, '') : content;
}
