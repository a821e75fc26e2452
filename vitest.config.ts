import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    expect: { requireAssertions: true },
    setupFiles: ['test/support/no-empty-each.ts'],
    // Else the other tests of the file are left out, and nobody is told.
    allowOnly: false,
    // Two cores, sometimes shared: a limit is for what hangs, not for what is slow.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    maxWorkers: 2,
  },
});
