import { expect, test } from 'vitest';
import { canonicalArgv, type FlagShape } from '../../src/cli/argv/docker-args.ts';
import { oclifFlags } from '../../src/cli/argv/flags.ts';
import { COMMANDS } from '../../src/command-table.ts';
import { MISSING_BUILD_FLAGS } from '../../src/commands/builder/build-flags.ts';
import { MISSING_CREATE_FLAGS } from '../../src/container/flags/missing-create-flags.ts';
import type { FlagEntry, FlagTable } from '../../src/options/flag-table.ts';

function read(table: FlagTable, ...argv: string[]): string[] {
  const shapes = Object.entries(oclifFlags(table)).map(([name, flag]) => ({ ...flag, name }) as FlagShape);
  return canonicalArgv(argv, shapes, { interspersed: false });
}

test.each([
  [MISSING_BUILD_FLAGS, ['--squash'], '--squash is not there yet'],
  [MISSING_BUILD_FLAGS, ['--ssh', 'default'], '--ssh default is not there yet'],
  [MISSING_BUILD_FLAGS, ['-o', 'type=tar,dest=x'], '-o type=tar,dest=x is not there yet'],
  [MISSING_BUILD_FLAGS, ['--provenance=true'], '--provenance true is not there yet'],
  [MISSING_CREATE_FLAGS, ['--restart', 'always'], '--restart always is not there yet'],
] as const)('%#: %j is refused by name', (table, argv, message) => {
  const [, name = ''] = /^-+([a-z]+)/.exec(argv[0]) ?? [];
  const flags: FlagTable = table;
  const hint = (flags[name] ?? flags['output'])!.missing;
  expect(hint).toBeTruthy();
  const refusal = expect.objectContaining({ code: 'unsupported', message, hint });
  expect(() => read(flags, ...argv)).toThrow(refusal);
});

test('what is so anyway may be asked for', () => {
  const harmless = ['--load', '--rm=false', '--squash=false', '--provenance=false', '--output=type=docker'];
  expect(() => read(MISSING_BUILD_FLAGS, ...harmless, '--builder', 'default')).not.toThrow();
  const empty = ['--pid=', '--cpu-quota=0', '--domainname=', '--memory-swappiness=-1', '--blkio-weight=0'];
  const usual = ['--restart=no', '--log-driver=json-file', '--runtime=runc', '--volume-driver=local'];
  expect(() => read(MISSING_CREATE_FLAGS, ...usual, ...empty)).not.toThrow();
});

test('every flag is either described, or hidden and refused with what to do instead', async () => {
  const loaded = await Promise.all(
    Object.entries(COMMANDS).map(async ([id, load]) => [id, await load()] as const),
  );
  const wrong = loaded.flatMap(([id, module]) => {
    const { flags = {} } = module.default as { flags?: Record<string, FlagShape & { entry: FlagEntry }> };
    return Object.entries(flags)
      .filter(([, { entry, missing }]) => (entry.missing ?? '') !== (missing?.hint ?? '') || !speaks(entry))
      .map(([name]) => `${id} --${name}`);
  });
  expect(wrong).toEqual([]);
});

function speaks({ missing, description }: FlagEntry): boolean {
  return ((missing ?? description) || '') !== '' && (missing === undefined || description === undefined);
}
