import { resolve } from 'node:path';
import { resolveArgs } from '../../bundle/process-args.ts';
import { OcitsError } from '../../errors.ts';
import type { RunConfig } from '../../oci/image-config.ts';
import { parseSignal } from '../../system/process/signal-number.ts';
import type { ProcessRequest } from '../flags/create-request.ts';
import type { ProcessRecord } from '../record/record.ts';

const DEFAULT_STOP_SIGNAL = 'SIGTERM';
const DEFAULT_STOP_TIMEOUT_SECONDS = 10;

/**
 * The first process as the image and the user ask for it, by Docker's rules. Throws `invalid-argument` for an
 * impossible working directory of the user's, and where there is no command at all.
 */
export function resolveProcess(image: RunConfig, request: ProcessRequest): ProcessRecord {
  const { entrypoint, command } = request;
  const args = resolveArgs({
    imageEntrypoint: image.Entrypoint ?? [],
    imageCommand: image.Cmd ?? [],
    command,
    entrypoint,
  });
  if (args.length === 0) {
    throw new OcitsError(
      'invalid-argument',
      'no command is given, neither by the image nor on the command line',
      {
        hint: 'name a command after the image',
      },
    );
  }
  return {
    args,
    imageEnv: image.Env ?? [],
    userEnv: request.env,
    workdir: workdir(image, request),
    user: request.user ?? image.User ?? '',
    terminal: request.terminal,
    openStdin: request.openStdin,
    stopSignal: stopSignal(image, request),
    stopTimeoutSeconds: request.stopTimeoutSeconds ?? DEFAULT_STOP_TIMEOUT_SECONDS,
    rlimits: request.rlimits,
  };
}

function workdir(image: RunConfig, request: ProcessRequest): string {
  const asked = request.workdir;
  if (asked === undefined || asked === '') return resolve('/', image.WorkingDir ?? '');
  if (asked.startsWith('/')) return resolve(asked);
  throw new OcitsError(
    'invalid-argument',
    `the working directory ${JSON.stringify(asked)} is not an absolute path`,
  );
}

/** A signal that the image names and the kernel does not know counts as none. */
function stopSignal(image: RunConfig, request: ProcessRequest): string {
  if (request.stopSignal !== undefined) return request.stopSignal;
  try {
    parseSignal(image.StopSignal ?? '');
    return image.StopSignal!;
  } catch {
    return DEFAULT_STOP_SIGNAL;
  }
}
