import { describe, expect, test, vi } from 'vitest';
import { exitCodeFor, printError } from '../../src/cli/output/error-output.ts';
import { OcitsError } from '../../src/errors.ts';

describe('exit codes', () => {
  test.each([
    ['a flag that is wrong', new OcitsError('usage', 'x', { exitCode: 125 }), 'ps', undefined, 125],
    ['arguments that are wrong', new OcitsError('usage', 'x'), 'run', undefined, 1],
    ['a failure', new OcitsError('not-found', 'x'), 'rmi', undefined, 1],
    ['a failure of run', new OcitsError('not-found', 'x'), 'run', undefined, 125],
    ['a missing command', new OcitsError('not-found', 'x', { exitCode: 127 }), 'run', undefined, 127],
    [
      'a file that is not executable',
      new OcitsError('not-executable', 'x', { exitCode: 126 }),
      'container:run',
      undefined,
      126,
    ],
    ['a missing container of exec', new OcitsError('not-found', 'x'), 'exec', undefined, 1],
    ['Ctrl-C', new OcitsError('aborted', 'x'), 'pull', 'SIGINT', 130],
    ['SIGTERM', new Error('whatever followed'), 'build', 'SIGTERM', 143],
    ['a fault of ours in run', new TypeError('x'), 'run', undefined, 125],
  ] as const)('%s', (_, error, command, signal, code) => {
    expect(exitCodeFor(error, command, signal)).toBe(code);
  });
});

describe('messages', () => {
  test('the place, the message and what to do', () => {
    const location = { file: 'Dockerfile', line: 3, column: 5 };
    const text = printed(
      new OcitsError('syntax', 'unknown flag', { location, hint: 'leave it out' }),
      'build',
    );
    expect(text).toBe('ocits: Dockerfile:3:5: unknown flag\nhint: leave it out\n');
  });

  test('a fault of the command line names the help', () => {
    expect(printed(new OcitsError('usage', 'unknown flag: --x'), 'image ls')).toContain(
      "Run 'ocits image ls --help'",
    );
  });

  test('the stack and the cause are shown for debugging only', () => {
    const error = new OcitsError('network', 'refused', { cause: new Error('ECONNREFUSED') });
    expect(printed(error, 'pull')).not.toContain('ECONNREFUSED');
    expect(printed(error, 'pull', true)).toContain('caused by: Error: ECONNREFUSED');
  });
});

function printed(error: unknown, command: string, debug = false): string {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    vi.stubEnv('OCITS_DEBUG', debug ? '1' : '');
    printError(error, command);
    return write.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    write.mockRestore();
    vi.unstubAllEnvs();
  }
}
