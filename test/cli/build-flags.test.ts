import { describe, expect, it } from 'vitest';
import { refuseMissingBuildFlags } from '../../src/cli/build-flags.ts';

describe('flags that are not there yet', () => {
  it.each([{ squash: true }, { ssh: ['default'] }, { output: 'type=tar,dest=x' }, { provenance: 'true' }])(
    '%j is refused by name',
    (flags) => {
      const [name] = Object.keys(flags);
      expect(() => refuseMissingBuildFlags(flags)).toThrow(
        expect.objectContaining({ code: 'unsupported', message: expect.stringContaining(`--${name}`) }),
      );
    },
  );

  it('pass where they ask for what is so anyway', () => {
    refuseMissingBuildFlags({
      load: true,
      rm: true,
      provenance: 'false',
      output: 'type=docker',
      builder: 'default',
    });
  });
});
