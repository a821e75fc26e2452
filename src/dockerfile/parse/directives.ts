import { dockerfileError } from '../dockerfile-error.ts';
import type { Dockerfile } from '../instruction.ts';
import type { Word } from '../source.ts';
import { leadingSpace } from '../text/characters.ts';
import { LineReader } from '../text/logical-line.ts';

type DirectiveName = 'syntax' | 'escape' | 'check';

const NAMES: readonly string[] = ['syntax', 'escape', 'check'] satisfies DirectiveName[];
const FORM = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;

/**
 * The parser directives, `# name=value`, at the very top of a Dockerfile. The first line that is none ends them: an
 * empty one, an instruction, and any other comment. Throws `syntax` where one is given twice or `escape` is neither
 * `\` nor a backtick.
 */
export function readDirectives(text: string, file: string): Pick<Dockerfile, 'directives' | 'escapeChar'> {
  const directives = new Map<DirectiveName, Word>();
  const reader = new LineReader(text);
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    const indent = leadingSpace(line.text);
    const match = FORM.exec(line.text.slice(indent));
    const name = match?.[1]?.toLowerCase() ?? '';
    if (match === null || !NAMES.includes(name)) break;
    const value = match[2]!;
    const at = { line: line.number, column: line.text.lastIndexOf(value) + 1 };
    if (directives.has(name as DirectiveName)) {
      throw dockerfileError(
        file,
        { line: line.number, column: indent + 1 },
        `only one ${name} directive can be used`,
      );
    }
    directives.set(name as DirectiveName, { text: value, at });
  }
  const escapeChar = directives.get('escape');
  if (escapeChar === undefined) return { directives, escapeChar: '\\' };
  if (escapeChar.text !== '\\' && escapeChar.text !== '`') {
    throw dockerfileError(
      file,
      escapeChar.at,
      `escape directive ${JSON.stringify(escapeChar.text)} is not \\ or \``,
    );
  }
  return { directives, escapeChar: escapeChar.text };
}
