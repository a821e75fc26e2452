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
