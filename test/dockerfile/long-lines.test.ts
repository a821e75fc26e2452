import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { parseDockerfile, parseTrigger } from '../../src/dockerfile/parse/parse.ts';

const LIMIT = 65_535;

describe('a line that is longer than BuildKit takes', () => {
  test.each([
    ['an instruction', `FROM a\nRUN ${'x'.repeat(LIMIT - 3)}\n`, 2],
    ['the first line', `FROM ${'x'.repeat(LIMIT)}`, 1],
    ['a comment', `FROM a\n\n# ${'x'.repeat(LIMIT)}\n`, 3],
    ['a line that goes on', `FROM a\nRUN x \\\n  ${'x'.repeat(LIMIT)} \\\n  y\n`, 3],
    ['a here-document', `FROM a\nRUN <<E\nx\n${'x'.repeat(LIMIT + 1)}\nE\n`, 4],
    ['characters of several bytes', `FROM a\nENV A=${'é'.repeat(LIMIT / 2 + 1)}\n`, 2],
    ['a line end of Windows', `FROM a\r\nRUN ${'x'.repeat(LIMIT - 4)}\r\n`, 2],
  ])('is refused: %s', (_what, text, line) => {
    expect(() => parseDockerfile(text, 'Dockerfile')).toThrow(
      expect.objectContaining({
        code: 'syntax',
        message: 'the line is longer than 65535 bytes',
        location: { file: 'Dockerfile', line, column: 1 },
      }),
    );
  });

  test('is refused in a trigger, too', () => {
    expect(() => parseTrigger(`RUN ${'x'.repeat(LIMIT)}`, 'base')).toThrow('the line is longer than');
  });

  test('is taken up to the limit', () => {
    const text = `FROM a\nRUN ${'x'.repeat(LIMIT - 4)}\n# ${'é'.repeat(LIMIT / 2 - 1)}\n`;
    expect(parseDockerfile(text, 'Dockerfile').stages[0]!.instructions).toHaveLength(1);
  });
});

test('more arguments than any image needs are refused', () => {
  const words = (count: number) => `${'a=b '.repeat(10_000)}\\\n`.repeat(count / 10_000);
  const many = (keyword: string, count: number) => `FROM a\n${keyword} ${words(count)}/x/\n`;
  for (const keyword of ['COPY', 'ADD', 'EXPOSE', 'VOLUME', 'LABEL a=b', 'ENV a=b']) {
    expect(() => parseDockerfile(many(keyword, 110_000), 'D')).toThrow('has more than 100000 arguments');
  }
  expect(parseDockerfile(many('COPY', 90_000), 'D').stages[0]!.instructions).toHaveLength(1);
});

test('an instruction of megabytes neither takes hundreds of megabytes nor is printed whole', () => {
  const program = `
    const { parseDockerfile } = await import('./src/dockerfile/parse/parse.ts');
    const { expandInstruction } = await import('./src/dockerfile/expand/expand-instruction.ts');
    const { changeConfig } = await import('./src/builder/plan/config-change.ts');
    const long = ('x'.repeat(60_000) + '\\\\\\n').repeat(66);
    for (const line of ['COPY ' + long + ' /y', 'RUN --mount=type=' + long + ' x', 'RUN --' + long,
      'ENV A=' + long + '$B"' + long.slice(0, 120_000) + '"', 'STOPSIGNAL ' + long, 'ENV A=\${' + long]) {
      try {
        const { stages } = parseDockerfile('FROM a\\n' + line + '\\n', 'D');
        const context = { file: 'D', escapeChar: '\\\\', env: new Map() };
        const expanded = expandInstruction(stages[0].instructions[0], context);
        changeConfig({ config: {}, hasOwnCmd: false }, expanded, 'D');
        console.log(0);
      } catch (error) {
        console.log(error.message.length);
      }
    }
    console.log(process.resourceUsage().maxRSS);
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  const [copy, mount, flag, env, signal, open, kibibytes] = stdout.trim().split('\n').map(Number);
  expect(stderr).toBe('');
  expect([copy, env]).toEqual([0, 0]);
  for (const length of [mount!, flag!, signal!, open!]) {
    expect(length).toBeGreaterThan(0);
    expect(length).toBeLessThan(5000);
  }
  expect(kibibytes).toBeLessThan(300_000);
});
