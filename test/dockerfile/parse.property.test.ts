import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expandText } from '../../src/dockerfile/expand/expand-word.ts';
import type { Dockerfile, StageInstruction } from '../../src/dockerfile/instruction.ts';
import { parseDockerfile } from '../../src/dockerfile/parse/parse.ts';
import { OcitsError } from '../../src/errors.ts';
import { goldenCases } from '../support/builder/golden-dockerfile.ts';
import { growth, LINEAR } from '../support/program/growth.ts';
import { RANDOM_CASES } from '../support/program/random-cases.ts';

const ROUNDS = 400;

/** What an instruction says, without where it stands and how it was broken into lines. */
function meaning(dockerfile: Dockerfile): unknown {
  const drop = new Set(['at', 'range', 'source', 'flagsAt', 'warnings', 'file']);
  return JSON.parse(JSON.stringify(dockerfile, (key, value) => (drop.has(key) ? undefined : value)));
}

function instructions(text: string): readonly StageInstruction[] {
  return parseDockerfile(text, 'Dockerfile').stages[0]!.instructions;
}

/** Texts of up to `longest` of the letters. */
const texts = (letters: string, longest: number) =>
  fc.array(fc.constantFrom(...letters), { maxLength: longest, size: 'max' }).map((each) => each.join(''));
const several = <T>(arbitrary: fc.Arbitrary<T>, most: number) =>
  fc.array(arbitrary, { minLength: 1, maxLength: most, size: 'max' });

test('values survive being quoted, written, read and expanded', () => {
  const values = several(texts('ab$ \t"\'\\`=#{}<>ü😀-:,[]', 8), 4);
  const property = fc.property(values, (written) => {
    const quoted = written.map((value) => value.replace(/["\\$]/g, '\\$&'));
    const [env] = instructions(`FROM a\nENV ${quoted.map((value, i) => `K${i}="${value}"`).join(' ')}`);
    if (env?.kind !== 'ENV') throw new Error('no ENV');
    const read = env.pairs.map(({ value }) => expandText(value.text, new Map(), { escapeChar: '\\' }).text);
    expect(read).toEqual(written);
  });
  fc.assert(property, { ...RANDOM_CASES, numRuns: ROUNDS });
});

test('a JSON array is read back as it was', () => {
  const words = several(texts('ab$ \t"\'\\`=#{}<>ü😀[],\u0000\u2028', 6), 5);
  const property = fc.property(words, (args) => {
    const [run, copy] = instructions(
      `FROM a\nRUN ${JSON.stringify(args)}\nCOPY ${JSON.stringify(['x', ...args])}`,
    );
    expect(run).toMatchObject({ kind: 'RUN', command: { form: 'exec', args } });
    if (copy?.kind !== 'COPY') throw new Error('no COPY');
    const read = [...copy.sources, copy.destination];
    expect(read.map(({ text }) => text)).toEqual(['x', ...args]);
  });
  fc.assert(property, { ...RANDOM_CASES, numRuns: ROUNDS });
});

/** A line of a here-document cannot be broken. */
const samples = goldenCases('valid').filter(
  ({ name, dockerfile }) => !/escape|crlf|windows/.test(name) && !dockerfile.includes('<<'),
);

test.each(samples)('where lines of $name are broken, and comments between them, change nothing', (sample) => {
  const text = sample.dockerfile.toString('utf8');
  const wanted = meaning(parseDockerfile(text, 'Dockerfile'));
  const property = fc.property(brokenLines(text), (broken) => {
    expect(meaning(parseDockerfile(broken, 'Dockerfile'))).toEqual(wanted);
  });
  fc.assert(property, { ...RANDOM_CASES, numRuns: 20 });
});

/** Breaks instructions at random places into continuation lines; never in a way that makes a comment or an escape. */
function brokenLines(text: string): fc.Arbitrary<string> {
  const pieces = text
    .split('\n')
    .flatMap((line, number) => (number === 0 ? [] : ['\n']).concat(unbroken(line)));
  const end = fc.oneof(
    { weight: 85, arbitrary: fc.constant('') },
    { weight: 15, arbitrary: fc.constantFrom('\\\n', '\\ \t\n', '\\\n  # note\n') },
  );
  const ends = fc.array(end, { minLength: pieces.length, maxLength: pieces.length });
  return ends.map((breaks) =>
    pieces
      .map((piece, i) => (i === 0 || piece === '\n' || pieces[i - 1] === '\n' ? '' : breaks[i]) + piece)
      .join(''),
  );
}

/** A line in pieces between which it may be broken. */
function unbroken(line: string): string[] {
  if (/^\s*(#|$)/.test(line)) return [line];
  const pieces = [''];
  for (let i = 0; i < line.length; i++) {
    const splittable = i > 0 && !/[\\\s]/.test(line[i - 1]!) && !/^\s*(#|$|\\)/.test(line.slice(i));
    if (splittable && !isLowSurrogate(line, i)) pieces.push('');
    pieces.push((pieces.pop() ?? '') + line[i]);
  }
  return pieces;
}

function isLowSurrogate(line: string, index: number): boolean {
  const code = line.charCodeAt(index);
  return code >= 0xdc00 && code < 0xe000;
}

test('whatever stands in a file, it is read or refused with a place in it', () => {
  const pieces = [
    ...[
      'FROM a',
      'RUN',
      'COPY',
      'ADD',
      'ENV',
      'LABEL',
      'ONBUILD',
      'HEALTHCHECK',
      'CMD',
      'SHELL',
      'ARG',
      'EXPOSE',
    ],
    ...[
      '--from=',
      '--mount=',
      '--chown=',
      '--link',
      '--',
      '<<EOF',
      '<<-X',
      'EOF',
      '["a", ',
      '"]',
      'A=b',
      '$x',
      '${x:-',
    ],
    ...[
      '\\',
      '`',
      "'",
      '"',
      '#',
      '\n',
      '\r\n',
      '\\\n',
      ' ',
      '\t',
      '=',
      'x',
      '/',
      '\u00a0',
      '😀',
      '# escape=`\n',
    ],
  ];
  const file = fc
    .record({
      first: fc.oneof(
        { weight: 7, arbitrary: fc.constant('FROM a\n') },
        { weight: 3, arbitrary: fc.constant('') },
      ),
      between: fc.constantFrom(' ', '', ' ', '\n'),
      words: several(fc.constantFrom(...pieces), 14),
    })
    .map(({ first, between, words }) => first + words.join(between));
  const property = fc.property(file, (text) => {
    try {
      const { stages } = parseDockerfile(text, 'Dockerfile');
      expect(stages.length).toBeGreaterThan(0);
    } catch (error) {
      if (!(error instanceof OcitsError)) throw error;
      const { line = 0, column = 0 } = error.location ?? {};
      const lines = text.split('\n');
      expect(line).toBeGreaterThan(0);
      expect(line).toBeLessThanOrEqual(lines.length);
      expect(column).toBeGreaterThan(0);
      expect(column).toBeLessThanOrEqual(lines[line - 1]!.length + 1);
    }
  });
  fc.assert(property, { ...RANDOM_CASES, numRuns: 20 * ROUNDS });
});

test.each<[string, (size: number) => string]>([
  ['a word of JSON', (size) => `RUN ["${'x'.repeat(30 * size)}"]`],
  ['backslashes in JSON', (size) => `RUN ["${manyEscapes(10 * size)}"]`],
  ['values', (size) => `ENV A="${'x'.repeat(30 * size)}" B=${manyEscapes(10 * size)}\\`],
  ['pairs', (size) => `ENV ${Array.from({ length: size / 5 }, (_, i) => `K${i}=v`).join(' \\\n')}`],
  ['a mount', (size) => `RUN --mount=type=bind,target=${'x'.repeat(30 * size)} true`],
  ['a quoted mount', (size) => `RUN --mount='type=bind,"target=${'x'.repeat(30 * size)}"' true`],
  ['a here-document', (size) => `RUN <<EOF\n${'line\n'.repeat(3 * size)}EOF`],
  ['here-documents', (size) => `RUN ${'<<A '.repeat(size / 30)}\n${'A\n'.repeat(size / 30)}`],
  ['sources', (size) => `COPY ${'a '.repeat(size)} /x/`],
])('a big file takes its time, and no more: %s', (_what, text) => {
  const read = (file: string) => expect(instructions(file)).toHaveLength(1);
  expect(growth((size) => `FROM a\n${folded(text(size))}\n`, 3000, read)).toBeLessThan(LINEAR);
});

/** With long lines broken, behind what is no escape. */
function folded(text: string): string {
  return text.replace(/[^\n]{3000,}?[^\n\\](?=[^\n]{10})/g, '$&\\\n');
}

const manyEscapes = (count: number) => `${'\\\\'.repeat(1000)}x`.repeat(count / 1000);

test('what is nested deeply is read, and what is nested too deep is refused', () => {
  const nested = (depth: number) => `${'${a:-'.repeat(depth)}x${'}'.repeat(depth)}`;
  const [env] = instructions(`FROM a\nENV D=${nested(900)}`);
  if (env?.kind !== 'ENV') throw new Error('no ENV');
  expect(expandText(env.pairs[0]!.value.text, new Map(), { escapeChar: '\\' }).text).toBe('x');
  expect(() => expandText(nested(100_000), new Map(), { escapeChar: '\\' })).toThrow('nested too deep');
});
