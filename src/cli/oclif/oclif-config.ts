/**
 * The room of what stands in for oclif, so that a command starts in milliseconds: a small `Config`, and the list of
 * oclif's modules that the bundle leaves out. Only `main-program.ts` calls it, and the script that makes the bundle.
 * No plugin, hook or manifest of oclif's is ever read.
 *
 *     const command = new Tag(['app:1', 'app:2'], oclifConfig(programVersion()) as never);
 *     await command.execute(engine);
 */

/**
 * Stands in for oclif's `Config`: the part that a running command touches, so that no plugin or manifest is read at
 * start-up. `test/cli/oclif.test.ts` fails where a newer oclif touches more.
 */
export function oclifConfig(version: string): object {
  return {
    bin: 'ocits',
    version,
    userAgent: `ocits/${version}`,
    runHook: async () => ({ successes: [], failures: [] }),
    scopedEnvVar: () => undefined,
    scopedEnvVarKey: (key: string) => `OCITS_${key}`,
  };
}
