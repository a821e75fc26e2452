import { expect, test } from 'vitest';
import { missingBuildFlags } from '../../src/cli/argv/build-flags.ts';
import { missingCreateFlags } from '../../src/cli/argv/container-flags.ts';
import { canonicalArgv, type FlagShape } from '../../src/cli/argv/docker-args.ts';
import { COMMANDS } from '../../src/command-table.ts';

function read(flags: Readonly<Record<string, object>>, ...argv: string[]): string[] {
  const shapes = Object.entries(flags).map(([name, flag]) => ({ ...flag, name }) as FlagShape);
  return canonicalArgv(argv, shapes, { interspersed: false });
}

test.each([
  [missingBuildFlags, ['--squash'], '--squash is not there yet'],
  [missingBuildFlags, ['--ssh', 'default'], '--ssh default is not there yet'],
  [missingBuildFlags, ['-o', 'type=tar,dest=x'], '-o type=tar,dest=x is not there yet'],
  [missingBuildFlags, ['--provenance=true'], '--provenance true is not there yet'],
  [missingCreateFlags, ['--restart', 'always'], '--restart always is not there yet'],
] as const)('%#: %j is refused by name', (flags, argv, message) => {
  const refusal = expect.objectContaining({ code: 'unsupported', message, hint: 'leave it out' });
  expect(() => read(flags, ...argv)).toThrow(refusal);
});

test('what is so anyway may be asked for', () => {
  const harmless = ['--load', '--rm=false', '--squash=false', '--provenance=false', '--output=type=docker'];
  expect(() => read(missingBuildFlags, ...harmless, '--builder', 'default')).not.toThrow();
  expect(() => read(missingCreateFlags, '--restart=no', '--pid=')).not.toThrow();
});

test('no command takes a flag that is not there yet without a word', async () => {
  const loaded = await Promise.all(
    Object.entries(COMMANDS).map(async ([id, load]) => [id, await load()] as const),
  );
  const silent = loaded.flatMap(([id, module]) => {
    const { flags = {} } = module.default as { flags?: Record<string, FlagShape & { description?: string }> };
    const claimed = Object.entries(flags).filter(([, { description }]) => description === 'not there yet');
    return claimed.filter(([, { missing }]) => missing === undefined).map(([name]) => `${id} --${name}`);
  });
  expect(silent).toEqual([]);
});
