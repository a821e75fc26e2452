import { expect, test } from 'vitest';
import { expandText } from '../../src/dockerfile/expand/expand-word.ts';
import type { Dockerfile, StageInstruction } from '../../src/dockerfile/instruction.ts';
import { parseDockerfile } from '../../src/dockerfile/parse/parse.ts';
import { OcitsError } from '../../src/errors.ts';
import { goldenCases } from '../support/builder/golden-dockerfile.ts';
import { Random } from '../support/layer/random.ts';
import { growth, LINEAR } from '../support/program/growth.ts';

const ROUNDS = 400;

/** What an instruction says, without where it stands and how it was broken into lines. */
function meaning(dockerfile: Dockerfile): unknown {
  const drop = new Set(['at', 'range', 'source', 'flagsAt', 'warnings', 'file']);
  return JSON.parse(JSON.stringify(dockerfile, (key, value) => (drop.has(key) ? undefined : value)));
}

function instructions(text: string): readonly StageInstruction[] {
  return parseDockerfile(text, 'Dockerfile').stages[0]!.instructions;
}

test('values survive being quoted, written, read and expanded', () => {
  for (let seed = 0; seed < ROUNDS; seed++) {
    const random = new Random(seed);
    const alphabet = Array.from('ab$ \t"\'\\`=#{}<>ü😀-:,[]');
    const values = random.several(1, 4, () => random.several(0, 8, () => random.pick(alphabet)).join(''));
    const quoted = values.map((value) => value.replace(/["\\$]/g, '\\$&'));
    const [env] = instructions(`FROM a\nENV ${quoted.map((value, i) => `K${i}="${value}"`).join(' ')}`);
    if (env?.kind !== 'ENV') throw new Error(`seed ${seed}`);
    const read = env.pairs.map(({ value }) => expandText(value.text, new Map(), { escapeChar: '\\' }).text);
    expect(read, `seed ${seed}`).toEqual(values);
  }
});

test('a JSON array is read back as it was', () => {
  for (let seed = 0; seed < ROUNDS; seed++) {
    const random = new Random(seed);
    const alphabet = Array.from('ab$ \t"\'\\`=#{}<>ü😀[],\u0000\u2028');
    const args = random.several(1, 5, () => random.several(0, 6, () => random.pick(alphabet)).join(''));
    const [run, copy] = instructions(
      `FROM a\nRUN ${JSON.stringify(args)}\nCOPY ${JSON.stringify(['x', ...args])}`,
    );
    expect(run, `seed ${seed}`).toMatchObject({ kind: 'RUN', command: { form: 'exec', args } });
    if (copy?.kind !== 'COPY') throw new Error(`seed ${seed}`);
    const words = [...copy.sources, copy.destination];
    expect(words.map(({ text }) => text)).toEqual(['x', ...args]);
  }
});

test('where lines are broken, and comments between them, change nothing', () => {
  const samples = goldenCases('valid').filter(({ name }) => !/heredoc|escape|crlf|windows/.test(name));
  for (const { name, dockerfile } of samples) {
    const text = dockerfile.toString('utf8');
    const wanted = meaning(parseDockerfile(text, 'Dockerfile'));
    for (let seed = 0; seed < 20; seed++) {
      const broken = breakLines(text, new Random(seed));
      expect(meaning(parseDockerfile(broken, 'Dockerfile')), `${name}, seed ${seed}\n${broken}`).toEqual(
        wanted,
      );
    }
  }
});

/** Breaks instructions at random places into continuation lines; never in a way that makes a comment or an escape. */
function breakLines(text: string, random: Random): string {
  return text
    .split('\n')
    .map((line) => {
      if (/^\s*(#|$)/.test(line)) return line;
      let result = '';
      for (let i = 0; i < line.length; i++) {
        const splittable = i > 0 && !/[\\\s]/.test(line[i - 1]!) && !/^\s*(#|$|\\)/.test(line.slice(i));
        if (splittable && !isLowSurrogate(line, i) && random.chance(15))
          result += random.pick(['\\\n', '\\ \t\n', '\\\n  # note\n']);
        result += line[i];
      }
      return result;
    })
    .join('\n');
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
  for (let seed = 0; seed < 20 * ROUNDS; seed++) {
    const random = new Random(seed);
    const text = `${random.chance(70) ? 'FROM a\n' : ''}${random.several(1, 14, () => random.pick(pieces)).join(random.pick([' ', '', ' ', '\n']))}`;
    try {
      const { stages } = parseDockerfile(text, 'Dockerfile');
      expect(stages.length).toBeGreaterThan(0);
    } catch (error) {
      if (!(error instanceof OcitsError))
        throw new Error(`seed ${seed}: ${JSON.stringify(text)}`, { cause: error });
      const { line = 0, column = 0 } = error.location ?? {};
      const lines = text.split('\n');
      expect(line, JSON.stringify(text)).toBeGreaterThan(0);
      expect(line, JSON.stringify(text)).toBeLessThanOrEqual(lines.length);
      expect(column, JSON.stringify(text)).toBeGreaterThan(0);
      expect(column, JSON.stringify(text)).toBeLessThanOrEqual(lines[line - 1]!.length + 1);
    }
  }
});

test.each<[string, (size: number) => string]>([
  ['a word of JSON', (size) => `RUN ["${'x'.repeat(30 * size)}"]`],
  ['backslashes in JSON', (size) => `RUN ["${'\\\\'.repeat(10 * size)}"]`],
  ['values', (size) => `ENV A="${'x'.repeat(30 * size)}" B=${'\\\\'.repeat(10 * size)}\\`],
  ['pairs', (size) => `ENV ${Array.from({ length: size / 5 }, (_, i) => `K${i}=v`).join(' \\\n')}`],
  ['a mount', (size) => `RUN --mount=type=bind,target=${'x'.repeat(30 * size)} true`],
  ['a quoted mount', (size) => `RUN --mount='type=bind,"target=${'x'.repeat(30 * size)}"' true`],
  ['a here-document', (size) => `RUN <<EOF\n${'line\n'.repeat(3 * size)}EOF`],
  ['here-documents', (size) => `RUN ${'<<A '.repeat(size / 30)}\n${'A\n'.repeat(size / 30)}`],
  ['sources', (size) => `COPY ${'a '.repeat(size)} /x/`],
])('a big file takes its time, and no more: %s', (_what, text) => {
  const read = (file: string) => expect(instructions(file)).toHaveLength(1);
  expect(growth((size) => `FROM a\n${text(size)}\n`, 3000, read)).toBeLessThan(LINEAR);
});

test('what is nested deeply is read, and what is nested too deep is refused', () => {
  const nested = (depth: number) => `${'${a:-'.repeat(depth)}x${'}'.repeat(depth)}`;
  const [env] = instructions(`FROM a\nENV D=${nested(900)}`);
  if (env?.kind !== 'ENV') throw new Error('no ENV');
  expect(expandText(env.pairs[0]!.value.text, new Map(), { escapeChar: '\\' }).text).toBe('x');
  expect(() => expandText(nested(100_000), new Map(), { escapeChar: '\\' })).toThrow('nested too deep');
});
