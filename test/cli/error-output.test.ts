import { describe, expect, test, vi } from 'vitest';
import {
  CREATE_EXIT_CODES,
  type ExitCodes,
  PLAIN_EXIT_CODES,
  START_EXIT_CODES,
} from '../../src/cli/exit-codes.ts';
import { exitCodeFor, printError } from '../../src/cli/output/error-output.ts';
import { COMMANDS } from '../../src/command-table.ts';
import { OcitsError, wrapError } from '../../src/errors.ts';

describe('exit codes', () => {
  test.each([
    [
      'a flag that is wrong',
      new OcitsError('usage', 'x', { exitCode: 125 }),
      PLAIN_EXIT_CODES,
      undefined,
      125,
    ],
    ['arguments that are wrong', new OcitsError('usage', 'x'), CREATE_EXIT_CODES, undefined, 1],
    ['a failure', new OcitsError('not-found', 'x'), PLAIN_EXIT_CODES, undefined, 1],
    ['a failure of run', new OcitsError('not-found', 'x'), CREATE_EXIT_CODES, undefined, 125],
    [
      'a missing command',
      new OcitsError('not-found', 'x', { exitCode: 127 }),
      CREATE_EXIT_CODES,
      undefined,
      127,
    ],
    [
      'a file that is not executable',
      new OcitsError('not-executable', 'x', { exitCode: 126 }),
      CREATE_EXIT_CODES,
      undefined,
      126,
    ],
    ['a missing container of exec', new OcitsError('not-found', 'x'), START_EXIT_CODES, undefined, 1],
    ['Ctrl-C', new OcitsError('aborted', 'x'), PLAIN_EXIT_CODES, 'SIGINT', 130],
    ['SIGTERM', new Error('whatever followed'), PLAIN_EXIT_CODES, 'SIGTERM', 143],
    [
      'a step of a build that failed',
      new OcitsError('step-failed', 'x', { exitCode: 127 }),
      PLAIN_EXIT_CODES,
      undefined,
      1,
    ],
    ['a fault of ours in exec', new TypeError('x'), START_EXIT_CODES, undefined, 125],
    ['a fault of ours', new TypeError('x'), PLAIN_EXIT_CODES, undefined, 1],
    ['a fault of ours in run', new TypeError('x'), CREATE_EXIT_CODES, undefined, 125],
  ] as const)('%s', (_, error, codes, signal, code) => {
    expect(exitCodeFor(error, codes, signal)).toBe(code);
  });
});

test('what starts something of an image has exit codes of its own, by each of its names', async () => {
  const codes = await Promise.all(
    Object.entries(COMMANDS).map(async ([id, load]) => {
      const { exitCodes } = (await load()).default as { exitCodes: ExitCodes };
      return [id, exitCodes] as const;
    }),
  );
  const own = codes.filter(([, table]) => table !== PLAIN_EXIT_CODES);
  expect(Object.fromEntries(own)).toEqual({
    create: CREATE_EXIT_CODES,
    'container:create': CREATE_EXIT_CODES,
    exec: START_EXIT_CODES,
    'container:exec': START_EXIT_CODES,
    run: CREATE_EXIT_CODES,
    'container:run': CREATE_EXIT_CODES,
    start: START_EXIT_CODES,
    'container:start': START_EXIT_CODES,
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

  test('what went wrong first is told, whatever failed while it was cleared up', async () => {
    const first = new OcitsError('not-found', 'no such image', { exitCode: 127 });
    const failing = async () => {
      await using _ = {
        [Symbol.asyncDispose]: () => Promise.reject(new Error('umount was ended by SIGKILL')),
      };
      throw first;
    };
    const thrown: unknown = await failing().catch((error: unknown) => error);
    expect(thrown).not.toBe(first);
    expect(printed(thrown, 'run')).toBe('ocits: no such image\n');
    expect(exitCodeFor(thrown, CREATE_EXIT_CODES, undefined)).toBe(127);
    expect(wrapError(thrown, 'internal', 'the work failed')).toBe(first);
  });

  test('each refusal of the system has words of its own, and what to do', () => {
    const of = (code: string, syscall: string) =>
      Object.assign(new Error(`${code}: ?`), { code, syscall, path: '/a/b' });
    expect(printed(of('EROFS', 'open'), 'pull')).toMatch(
      /^ocits: read-only file system \(open \/a\/b\)\nhint: make it/,
    );
    expect(printed(of('ENOSPC', 'watch'), 'run')).toMatch(
      /^ocits: the host has no watches .*\nhint: raise fs.inotify/,
    );
    expect(printed(of('EMFILE', 'watch'), 'run')).toMatch(/inotify.*\nhint: raise fs.inotify/);
    expect(printed(of('EMFILE', 'open'), 'run')).toMatch(/too many open files.*\nhint: raise the limit/);
    expect(printed(wrapError(of('EDQUOT', 'write'), 'internal', 'cannot write it'), 'pull')).toBe(
      'ocits: cannot write it: the disk quota is used up (write /a/b)\nhint: free some space: ocits system prune\n',
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
