import { OcitsError } from '../../errors.ts';

/** One argument of a call: a constant, a path from the dot or from a variable, or a pipeline in parentheses. */
export type Operand =
  | { readonly kind: 'constant'; readonly value: string | number | boolean | null }
  | { readonly kind: 'path'; readonly variable: string | undefined; readonly names: readonly string[] }
  | { readonly kind: 'group'; readonly pipeline: Pipeline; readonly names: readonly string[] };

/** A function with its arguments, or one operand alone. */
export interface TemplateCall {
  readonly name: string | undefined;
  readonly operands: readonly Operand[];
}

export type Pipeline = readonly TemplateCall[];

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | { readonly kind: 'assign'; readonly variable: string; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with';
      readonly pipeline: Pipeline;
      readonly body: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
    }
  | {
      readonly kind: 'range';
      readonly variables: readonly string[];
      readonly pipeline: Pipeline;
      readonly body: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
    };

/** Reads a template of Go's text/template, as far as `--format` is used. Throws `invalid-argument` with the part at fault. */
export function parseTemplate(source: string): readonly TemplateNode[] {
  const parser = new TemplateParser(splitActions(source));
  return parser.all();
}

type Piece = { readonly text: string } | { readonly action: string };

function splitActions(source: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  while (at < source.length) {
    const open = source.indexOf('{{', at);
    const rawText = source.slice(at, open < 0 ? undefined : open);
    let text = trimNext ? rawText.trimStart() : rawText;
    if (open < 0) {
      pieces.push({ text });
      break;
    }
    const close = source.indexOf('}}', open);
    if (close < 0) throw fault(source.slice(open), 'the action has no }}');
    let action = source.slice(open + 2, close);
    if (/^-\s/.test(action)) {
      text = text.trimEnd();
      action = action.slice(1);
    }
    trimNext = /\s-$/.test(action);
    if (trimNext) action = action.slice(0, -1);
    pieces.push({ text }, { action: action.trim() });
    at = close + 2;
  }
  return pieces.filter((piece) => !('text' in piece) || piece.text !== '');
}

class TemplateParser {
  readonly #pieces: Piece[];

  constructor(pieces: Piece[]) {
    this.#pieces = pieces;
  }

  all(): TemplateNode[] {
    const { nodes, end } = this.#block();
    if (end !== undefined) throw fault(end, 'there is no if, with or range that it ends');
    return nodes;
  }

  #block(): { nodes: TemplateNode[]; end: string | undefined } {
    const nodes: TemplateNode[] = [];
    for (let piece = this.#pieces.shift(); piece !== undefined; piece = this.#pieces.shift()) {
      if ('text' in piece) nodes.push({ kind: 'text', text: piece.text });
      else if (/^(end|else)\b/.test(piece.action)) return { nodes, end: piece.action };
      else if (!piece.action.startsWith('/*')) nodes.push(this.#action(piece.action));
    }
    return { nodes, end: undefined };
  }

  #action(action: string): TemplateNode {
    const [, keyword = '', rest = ''] = /^(if|with|range)\b\s*(.*)$/s.exec(action) ?? [];
    if (keyword === 'if' || keyword === 'with')
      return { kind: keyword, pipeline: parsePipeline(rest), ...this.#branches(action) };
    if (keyword === 'range') {
      const [, names = '', source = rest] = /^((?:\$\w+\s*,\s*)?\$\w+)\s*:=\s*(.*)$/s.exec(rest) ?? [];
      const variables = names
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '');
      return { kind: 'range', variables, pipeline: parsePipeline(source), ...this.#branches(action) };
    }
    const assign = /^(\$\w+)\s*:?=\s*(.*)$/s.exec(action);
    if (assign !== null) return { kind: 'assign', variable: assign[1]!, pipeline: parsePipeline(assign[2]!) };
    return { kind: 'print', pipeline: parsePipeline(action) };
  }

  #branches(opened: string): { body: TemplateNode[]; otherwise: TemplateNode[] } {
    const body = this.#block();
    if (body.end === 'end') return { body: body.nodes, otherwise: [] };
    const chained = /^else\s+((?:if|with)\b.*)$/s.exec(body.end ?? '');
    if (chained !== null) return { body: body.nodes, otherwise: [this.#action(chained[1]!)] };
    if (body.end !== 'else') throw fault(opened, 'it has no {{end}}');
    const otherwise = this.#block();
    if (otherwise.end !== 'end') throw fault(opened, 'it has no {{end}}');
    return { body: body.nodes, otherwise: otherwise.nodes };
  }
}

const TOKEN =
  /\s*(?:("(?:[^"\\]|\\.)*"|`[^`]*`)|(-?\d+(?:\.\d+)?)|(\$\w*(?:\.\w+)*)|((?:\.\w+)+|\.)|(\w+)|(\|)|(\()|(\)(?:\.\w+)*)|(.))/gs;

function parsePipeline(source: string): Pipeline {
  const tokens = [...source.trim().matchAll(TOKEN)];
  const pipeline = readPipeline(tokens, source);
  if (tokens.length > 0) throw fault(source, `unexpected ${JSON.stringify(tokens[0]![0].trim())}`);
  return pipeline;
}

function readPipeline(tokens: RegExpExecArray[], source: string): Pipeline {
  const calls: TemplateCall[] = [];
  do {
    const name = tokens[0]?.[5] !== undefined && !isConstant(tokens[0][5]) ? tokens.shift()![5] : undefined;
    const operands: Operand[] = [];
    for (
      let operand = readOperand(tokens, source);
      operand !== undefined;
      operand = readOperand(tokens, source)
    )
      operands.push(operand);
    if (name === undefined && operands.length === 0) throw fault(source, 'a value is missing');
    // A field may be a method; a constant never is.
    if (name === undefined && operands.length > 1 && operands[0]!.kind === 'constant')
      throw fault(source, 'only a function takes arguments');
    calls.push({ name, operands });
  } while (tokens[0]?.[6] !== undefined && tokens.shift() !== undefined);
  return calls;
}

function readOperand(tokens: RegExpExecArray[], source: string): Operand | undefined {
  const token = tokens[0];
  if (token === undefined || token[6] !== undefined || token[8] !== undefined) return undefined;
  tokens.shift();
  const [, quoted, number, variable, path, word, , open] = token;
  if (quoted !== undefined) return { kind: 'constant', value: unquote(quoted) };
  if (number !== undefined) return { kind: 'constant', value: Number(number) };
  if (variable !== undefined) {
    const [name, ...names] = variable.split('.');
    return { kind: 'path', variable: name!, names };
  }
  if (path !== undefined)
    return { kind: 'path', variable: undefined, names: path.split('.').filter((name) => name !== '') };
  if (word !== undefined && isConstant(word))
    return { kind: 'constant', value: word === 'nil' ? null : word === 'true' };
  // A function without arguments of its own may stand as an operand.
  if (word !== undefined) return { kind: 'group', pipeline: [{ name: word, operands: [] }], names: [] };
  if (open === undefined) throw fault(source, `unexpected ${JSON.stringify(token[0].trim())}`);
  const pipeline = readPipeline(tokens, source);
  const close = tokens.shift()?.[8];
  if (close === undefined) throw fault(source, 'a parenthesis is not closed');
  return { kind: 'group', pipeline, names: close.split('.').slice(1) };
}

function isConstant(word: string): boolean {
  return word === 'true' || word === 'false' || word === 'nil';
}

function unquote(text: string): string {
  if (text.startsWith('`')) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    throw fault(text, 'the string has an unknown escape');
  }
}

function fault(part: string, why: string): OcitsError {
  return new OcitsError('invalid-argument', `template: ${JSON.stringify(part)}: ${why}`, {
    hint: 'write it as a Go template, such as --format "{{.ID}} {{json .Names}}"',
  });
}
