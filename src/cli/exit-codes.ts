/** What a command exits with where it fails, apart from signals and faults of the command line. */
export interface ExitCodes {
  /** For a failure that has a message. */
  readonly failure: number;
  /** For a fault of ours. */
  readonly fault: number;
  /** The exit codes that are passed on from an error: those of a command in a container that could not be started. */
  readonly passedOn: readonly number[];
}

/** Most commands'. */
export const PLAIN_EXIT_CODES: ExitCodes = { failure: 1, fault: 1, passedOn: [] };

/** 126: it cannot be executed; 127: it is not there. */
const START_FAILURES: readonly number[] = [126, 127];

/**
 * For commands that make a container. `run` passes the container's exit code on, and no failure of ours may look like
 * one.
 */
export const CREATE_EXIT_CODES: ExitCodes = { failure: 125, fault: 125, passedOn: START_FAILURES };

/** For commands that start something in a container that is there. */
export const START_EXIT_CODES: ExitCodes = { failure: 1, fault: 125, passedOn: START_FAILURES };
