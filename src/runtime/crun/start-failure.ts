import { OcitsError } from '../../errors.ts';
import { textIfThereSync } from '../../system/file/if-there.ts';
import { crunStartFault } from './crun-messages.ts';

/** Docker's code for a container that could not be started for any other reason. */
const START_FAILED_CODE = 125;

/** What mount(8) said when the launcher failed; empty where it did not. */
export function readLaunchErrors(path: string): string {
  return (textIfThereSync(path) ?? '').trim().replaceAll('\n', '; ');
}

/**
 * The error for a process that crun could not start in a container, by crun's message: `not-found` and 127 where the command is
 * not there, `not-executable` and 126 where it cannot be executed, else `tool-failed` and 125.
 */
export function startFailure(message: string, command: string): OcitsError {
  const name = shown(command);
  const cause = new Error(message);
  const fault = crunStartFault(message);
  if (fault.kind === 'command-missing') return commandNotFound(command, cause);
  if (fault.kind === 'interpreter-missing') {
    return new OcitsError(
      'not-found',
      `the command ${name} needs an interpreter or a library that is not there`,
      {
        hint: 'check its #! line, and that the image has its dynamic loader',
        exitCode: 127,
        cause,
      },
    );
  }
  if (fault.kind === 'not-executable') return commandNotExecutable(command, fault.reason, cause);
  return new OcitsError('tool-failed', `crun could not start ${name}: ${message || 'it gave no reason'}`, {
    exitCode: START_FAILED_CODE,
  });
}

/** The same for another process in a container that runs: Docker's code is 126 whatever the reason. */
export function execFailure(message: string, command: string): OcitsError {
  const error = startFailure(message, command);
  if (error.code !== 'tool-failed') return error;
  return new OcitsError(error.code, error.message, { exitCode: 126 });
}

/** 127: the command is not there. */
export function commandNotFound(command: string, cause?: Error): OcitsError {
  return new OcitsError('not-found', `the command ${shown(command)} was not found in the container`, {
    hint: "check the command's name and the image's PATH",
    exitCode: 127,
    cause,
  });
}

/** 126: the command is there and cannot be executed. */
export function commandNotExecutable(command: string, reason: string, cause?: Error): OcitsError {
  return new OcitsError('not-executable', `the command ${shown(command)} cannot be executed: ${reason}`, {
    hint: 'check that it is a program of this platform, with its execute permission set',
    exitCode: 126,
    cause,
  });
}

function shown(command: string): string {
  return JSON.stringify(command.length > 80 ? `${command.slice(0, 80)}…` : command);
}
