import type { Mount } from '../system/mount.ts';

/**
 * Makes `mounts` inside a private mount namespace and runs a program there, so that the mounts live as long as
 * what runs in it and vanish with it.
 */
export interface LaunchPlan {
  /** The mount that has the tree, and where it goes: an existing folder. */
  readonly rootfs?: { readonly mounts: readonly Mount[]; readonly target: string };
  readonly program: string;
  readonly args: readonly string[];
}

/** A program and its arguments that carry out a plan; to be spawned with the caller's descriptors. */
export interface LaunchCommand {
  readonly program: string;
  readonly args: readonly string[];
}
