import { OcitsError } from '../../errors.ts';

/** The error for a container's output that does not arrive at our `stdout` or `stderr`, with the system's reason. */
export function cannotWrite(name: string, reason: string): OcitsError {
  return new OcitsError(
    /no space left on device|quota exceeded/i.test(reason) ? 'disk-full' : 'tool-failed',
    `what the container printed cannot be written to our ${name}: ${reason}`,
  );
}
