import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { goldenCases, goldenResult } from '../support/builder/golden-dockerfile.ts';

describe('valid Dockerfiles', () => {
  test.each(goldenCases('valid'))('$name', (golden) => {
    const result = goldenResult(golden);
    expect(result).toBe(readFileSync(golden.expectedPath, 'utf8'));
    expect(JSON.parse(result)).toHaveProperty('stages');
  });
});

describe('invalid Dockerfiles', () => {
  test.each(goldenCases('invalid'))('$name', (golden) => {
    const result = goldenResult(golden);
    expect(result).toBe(readFileSync(golden.expectedPath, 'utf8'));
    expect(JSON.parse(result)).toMatchObject({
      code: 'syntax',
      location: expect.stringMatching(/^Dockerfile:\d+:\d+$/),
    });
  });
});
