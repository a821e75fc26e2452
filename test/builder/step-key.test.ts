import { describe, expect, it } from 'vitest';
import { explainMiss, partDigests, stepKey } from '../../src/builder/solve/step-key.ts';

const parts = { operation: 'run', command: ['/bin/sh', '-c', 'true'], below: 'a' };

describe('stepKey', () => {
  it('does not depend on the order of the parts', () => {
    expect(stepKey(parts)).toBe(
      stepKey({ below: 'a', command: ['/bin/sh', '-c', 'true'], operation: 'run' }),
    );
  });

  it('differs for each part, and for words that are split otherwise', () => {
    const keys = [
      stepKey(parts),
      stepKey({ ...parts, below: 'b' }),
      stepKey({ ...parts, command: ['/bin/sh', '-c true'] }),
      stepKey({ ...parts, command: '["/bin/sh","-c","true"]' }),
      stepKey({ ...parts, user: '' }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('stays what it is from release to release', () => {
    // printf '["ocits-step-1",[["a","y"],["b",["x"]]]]' | sha256sum
    expect(stepKey({ b: ['x'], a: 'y' })).toBe(
      'sha256:3507464b392b38aa0d4e75651ccb40fd3f765225bc014c1c3fc145e790ea451d',
    );
  });
});

describe('explainMiss', () => {
  const before = partDigests(parts);
  it('names the parts that differ', () => {
    const now = partDigests({ ...parts, command: ['false'], 'env HOME': '/' });
    expect(explainMiss(now, before)).toBe('changed: command, env HOME');
  });

  it('says nothing where only the tree below differs', () => {
    expect(explainMiss(partDigests({ ...parts, below: 'b' }), before)).toBeUndefined();
  });

  it('tells an entry that is gone from a change', () => {
    expect(explainMiss(before, before)).toBe('its cache entry is gone');
  });

  it('keeps no value', () => {
    expect(JSON.stringify(partDigests({ 'env TOKEN': 'hunter2' }))).not.toContain('hunter2');
  });
});
