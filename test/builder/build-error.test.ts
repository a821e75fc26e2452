import { describe, expect, it } from 'vitest';
import { BuildError, sourceExcerpt, withExcerpt } from '../../src/builder/request/build-error.ts';
import { OcitsError } from '../../src/errors.ts';

const text = 'FROM busybox\n\nRUN true && \\\n    false\n\nCMD ["sh"]\n';

describe('sourceExcerpt', () => {
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
