import { describe, expect, it } from 'vitest';
import { BuildError, sourceExcerpt, withExcerpt } from '../../src/builder/request/build-error.ts';
import { OcitsError } from '../../src/errors.ts';

const text = 'FROM busybox\n\nRUN true && \\\n    false\n\nCMD ["sh"]\n';

describe('sourceExcerpt', () => {
  it('shows a part of a long line, with the place at fault', () => {
    const long = `COPY ${'x'.repeat(5000)}FAULT${'y'.repeat(5000)}`;
    const start = sourceExcerpt('D', `FROM x\n${long}\n`, { first: 2, last: 2, column: 6 });
    expect(start).toContain(`   2 | >>> COPY ${'x'.repeat(995)} … (9010 characters left out)\n`);
    const inside = sourceExcerpt('D', `FROM x\n${long}\n`, { first: 2, last: 2, column: 5006 });
    expect(inside).toContain(`>>> … ${'x'.repeat(100)}FAULTy`);
    expect(inside.length).toBeLessThan(1200);
  });

  it('shows the first of very many lines', () => {
    const text = `FROM x\nRUN a \\\n${'b \\\n'.repeat(1000)}c\nCMD d\n`;
    const shown = sourceExcerpt('D', text, { first: 2, last: 1003 }).split('\n');
    expect(shown).toHaveLength(204);
    expect(shown.at(-2)).toBe('     |     … (805 lines left out)');
  });

  it('marks the lines at fault and shows two on either side', () => {
    expect(sourceExcerpt('Dockerfile', text, { first: 3, last: 4 })).toBe(
      [
        'Dockerfile:3',
        '--------------------',
        '   1 |     FROM busybox',
        '   2 |     ',
        '   3 | >>> RUN true && \\',
        '   4 | >>>     false',
        '   5 |     ',
        '   6 |     CMD ["sh"]',
        '--------------------',
      ].join('\n'),
    );
  });

  it('stays within the file, and drops carriage returns', () => {
    expect(sourceExcerpt('D', 'FROM x\r\n', { first: 1, last: 1 })).toContain('   1 | >>> FROM x\n');
  });
});

describe('withExcerpt', () => {
  it('adds the lines to an error that points into the file', () => {
    const error = new OcitsError('syntax', 'bad', { location: { file: 'D', line: 6, column: 2 }, hint: 'h' });
    const wrapped = withExcerpt(error, 'D', text);
    expect(wrapped).toBeInstanceOf(BuildError);
    expect(wrapped).toMatchObject({ code: 'syntax', message: 'bad', hint: 'h', location: { line: 6 } });
    expect((wrapped as BuildError).report.excerpt).toContain('   6 | >>> CMD ["sh"]');
  });

  it('keeps what a failed step has told', () => {
    const location = { file: 'D', line: 3, endLine: 4 };
    const error = new BuildError('step-failed', 'no', { location, exitCode: 3 }, { outputTail: 'oops' });
    expect(withExcerpt(error, 'D', text)).toMatchObject({ exitCode: 3, report: { outputTail: 'oops' } });
  });

  it('leaves other errors alone', () => {
    const error = new OcitsError('network', 'down');
    expect(withExcerpt(error, 'D', text)).toBe(error);
  });
});
