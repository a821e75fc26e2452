import type { FailureReport } from '../../builder/request/build-error.ts';

const RULE = '------';

/**
 * What is shown of a failed build before its message, as BuildKit shows it: the last of what the step printed, and
 * the lines of the Dockerfile at fault. Ends with a line break where there is anything.
 */
export function describeFailure({ stepLabel, outputTail, excerpt }: FailureReport): string {
  const hasOutput = stepLabel !== undefined && outputTail !== undefined && outputTail !== '';
  const output = hasOutput ? [RULE, ` > ${stepLabel}:`, ...outputTail.split('\n').map(printable), RULE] : [];
  const lines = [...output, ...(excerpt === undefined ? [] : [excerpt])];
  return lines.map((line) => `${line}\n`).join('');
}

/** A step's last words must not move the cursor. */
function printable(line: string): string {
  const shown = line.slice(line.replace(/\r$/, '').lastIndexOf('\r') + 1);
  return shown.replaceAll(/\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]/g, '');
}
