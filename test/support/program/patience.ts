/** How long a test waits for what comes at once on an idle machine: the limit is for what hangs, not for what is slow. */
export const PATIENCE_MS = 60_000;
