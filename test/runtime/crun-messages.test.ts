import { expect, test } from 'vitest';
import { openCrun, runCrun } from '../../src/runtime/crun/crun.ts';
import { crunStartFault, saysUnknownContainer } from '../../src/runtime/crun/crun-messages.ts';
import { containerHost } from '../support/container/container-host.ts';

test('the real crun says that it does not know a container', async () => {
  await using host = await containerHost();
  const crun = await openCrun(host.paths);
  const messages = await Promise.all(
    ['delete', 'state'].map((verb) => runCrun(crun, [verb, 'nope']).then(String, ({ message }) => message)),
  );
  expect(messages.map(saysUnknownContainer)).toEqual([true, true]);
  const failed = await runCrun(crun, ['run', '--bundle', '/nowhere', 'x']).then(
    String,
    ({ message }) => message,
  );
  expect(crunStartFault(failed)).toEqual({ kind: 'other' });
});

test.each([
  ['executable file `nope` not found in $PATH', { kind: 'command-missing' }],
  ['exec: No such file or directory', { kind: 'interpreter-missing' }],
  ['open executable: Permission denied', { kind: 'not-executable', reason: 'Permission denied' }],
  ['exec: Exec format error', { kind: 'not-executable', reason: 'Exec format error' }],
  ['mount `proc` to `proc`: Operation not permitted', { kind: 'other' }],
  ['', { kind: 'other' }],
])('%j is read', (message, fault) => {
  expect(crunStartFault(message)).toEqual(fault);
});
