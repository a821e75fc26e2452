import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createConmonSupervisor } from '../../src/runtime/conmon/conmon-supervisor.ts';
import { readCrunError, readLeftOutput } from '../../src/runtime/crun/crun-log.ts';
import type { StartRequest } from '../../src/runtime/supervisor.ts';
import { type ContainerHost, containerHost } from '../support/container/container-host.ts';
import { shellWords, TerminalSession } from '../support/container/terminal-session.ts';

/** How often each is run: what is lost is lost once in twenty times on a busy host, and hardly ever on an idle one. */
const RUNS = Number(process.env['OCITS_TEST_SHORT_RUNS'] ?? 300);
/** So many at a time make the host busy. */
const SESSIONS = 10;
const REPEAT = join(import.meta.dirname, '../support/container/run-repeatedly.ts');
const NONE = { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' } as const;
const INHERITED = { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' } as const;

let host: ContainerHost;
let sleeper: StartRequest;
beforeAll(async () => {
  host = await containerHost();
  sleeper = host.request({ process: { args: ['sleep', '3000'] } }, { stdio: NONE });
  await createConmonSupervisor(host.paths).start(sleeper);
});
afterAll(() => host[Symbol.asyncDispose]());

function request(kind: string, args: readonly string[], terminal: boolean): object {
  const stdio = terminal ? INHERITED : { ...INHERITED, stdin: 'ignore' as const };
  if (kind === 'run') return host.request({ process: { args, terminal } }, { stdio });
  const { folder, spec } = sleeper;
  const process = { ...spec.process, args, terminal };
  return { containerId: spec.id, folder, security: spec.security, process, stdio };
}

/** Runs one after the other on a terminal; all that it has shown. */
async function shown(kind: string, requests: readonly object[]): Promise<string> {
  const folder = mkdtempSync(join(host.folder, 'session-'));
  const file = join(folder, 'requests.json');
  writeFileSync(file, JSON.stringify(requests));
  const words = [process.execPath, REPEAT, kind, file, host.paths.run];
  const session = new TerminalSession(folder, `exec ${shellWords(words)}`);
  onTestFinished(() => session[Symbol.dispose]());
  expect(await session.ended).toBe(0);
  return session.screen;
}

test.each([
  ['run', true],
  ['run', false],
  ['exec', true],
  ['exec', false],
])(
  '%s on a terminal, with one of its own: %s, loses nothing, and has its size at once',
  async (kind, terminal) => {
    const count = Math.ceil(RUNS / SESSIONS);
    const sessions = Array.from({ length: SESSIONS }, async (_, session) => {
      const numbers = Array.from({ length: count }, (_, index) => index);
      const asksSize = (number: number) => terminal && number % 2 === 1;
      const requests = numbers.map((number) =>
        request(kind, asksSize(number) ? ['stty', 'size'] : ['echo', `${session}: ${number}`], terminal),
      );
      const expected = numbers.map((number) => (asksSize(number) ? '30 90' : `${session}: ${number}`));
      expect((await shown(kind, requests)).trimEnd().split(/[\r\n]+/)).toEqual(expected);
    });
    await Promise.all(sessions);
  },
);

test('what crun has left in its log is put together again, and its own messages are not taken for it', () => {
  const file = join(mkdtempSync(join(host.folder, 'log-')), 'log');
  const message = '{"msg":"exec: \\"no\\"","level":"error","time":"2026-01-01T00:00:00Z"}\n';
  const long = `${'x'.repeat(400)}\r\n${'y'.repeat(300)}\r\nend`;
  const chunks = [long.slice(0, 255), long.slice(255, 271), long.slice(271, 526), long.slice(526)];
  writeFileSync(file, `${chunks.join('\n')}\n${message}`);
  expect(readLeftOutput(file).toString()).toBe(long);
  expect(readCrunError(file)).toBe('exec: "no"');
  writeFileSync(file, 'caf\xe9\r\n\n', 'latin1');
  expect(readLeftOutput(file)).toEqual(Buffer.from('caf\xe9\r\n', 'latin1'));
  expect([readLeftOutput('/nowhere').length, readCrunError('/nowhere')]).toEqual([0, '']);
});
