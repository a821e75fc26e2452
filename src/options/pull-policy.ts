/** Whether a registry is asked for the image of a container. */
export const PULL_POLICIES = ['always', 'missing', 'never'] as const;

export type PullPolicy = (typeof PULL_POLICIES)[number];
