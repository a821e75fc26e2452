import { expect, test } from 'vitest';
import { inConmonScope, shutdownAnnotations } from '../../src/runtime/conmon/systemd-scope.ts';
import { findProgram } from '../../src/system/process/programs.ts';

const SLICE = 'system.slice:ocits:abc';

test('a shutdown stops a container of systemd as ocits stop does', () => {
  const rule = { stopSignal: 'SIGQUIT', stopTimeoutSeconds: 7 };
  expect(shutdownAnnotations(SLICE, rule)).toMatchObject({
    'org.systemd.property.KillSignal': '3',
    'org.systemd.property.TimeoutStopUSec': 'uint64 7000000',
    'org.systemd.property.Conflicts': "['shutdown.target']",
  });
  expect(shutdownAnnotations('/ocits/abc', rule)).toEqual({});
});

test.each([
  [-1, '18446744073709551615'],
  // systemd would take it for infinity.
  [0, '1000000'],
])('a time of %d seconds is %s', (stopTimeoutSeconds, timeout) => {
  const annotations = shutdownAnnotations(SLICE, { stopSignal: '37', stopTimeoutSeconds });
  expect(annotations['org.systemd.property.TimeoutStopUSec']).toBe(`uint64 ${timeout}`);
  expect(annotations['org.systemd.property.KillSignal']).toBe('37');
});

test('conmon has a scope of its own, and another one the next time', () => {
  const command = { program: '/usr/bin/conmon', args: ['--x'] };
  expect(inConmonScope(command, 'abc', '/ocits/abc')).toEqual(command);
  const [one, two] = [1, 2].map(() => inConmonScope(command, 'abc', SLICE));
  if (findProgram('systemd-run') === undefined) return expect(one).toEqual(command);
  expect(one!.args.slice(-3)).toEqual(['--', '/usr/bin/conmon', '--x']);
  expect(one!.args).not.toEqual(two!.args);
});
