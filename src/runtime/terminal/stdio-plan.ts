import type { StdioMode } from '../supervisor.ts';
import { descriptorKind, isSameFile } from './own-descriptors.ts';

export interface StdioModes {
  readonly stdin: StdioMode;
  readonly stdout: StdioMode;
  readonly stderr: StdioMode;
}

/** The names of the descriptors 0 to 2. */
export const STDIO_NAMES = ['stdin', 'stdout', 'stderr'] as const;
export type StdioName = (typeof STDIO_NAMES)[number];

/**
 * What a child's descriptor becomes. `own`: ours; `null`: a null device; `stream`: a pipe of which we have the other
 * end; `copy`: a pipe that is copied to or from our descriptor, `copy-typed` from our terminal, `copy-null` for want of
 * a null device; `as-stdout`: the same as descriptor 1.
 */
export type StdioPlan = 'own' | 'null' | 'stream' | 'copy' | 'copy-typed' | 'copy-null' | 'as-stdout';

/**
 * Decides by what our own descriptors are. Only pipes and sockets are passed on; or, where
 * crun joins a terminal of the container's to ours, whatever there is, since crun keeps it. Standard output and error that are the
 * same file get one pipe, so that their order stays.
 */
export function planStdio(
  modes: StdioModes,
  { hasNull, isTerminal }: { readonly hasNull: boolean; readonly isTerminal: boolean },
): readonly StdioPlan[] {
  const plans = STDIO_NAMES.map((name, index): StdioPlan => {
    if (modes[name] === 'pipe') return 'stream';
    if (isTerminal && modes[name] === 'inherit') return 'own';
    const kind = modes[name] === 'ignore' ? 'null' : descriptorKind(index);
    if (kind === 'null') return hasNull ? 'null' : 'copy-null';
    if (kind === 'pipe') return 'own';
    return kind === 'terminal' && name === 'stdin' ? 'copy-typed' : 'copy';
  });
  const isShared = plans[1] === 'copy' && plans[2] === 'copy' && isSameFile(1, 2);
  return isShared ? [plans[0]!, 'copy', 'as-stdout'] : plans;
}

/** Whether a pipe has to be made for it. */
export function needsPipe(plan: StdioPlan): boolean {
  return plan !== 'own' && plan !== 'null' && plan !== 'as-stdout';
}
