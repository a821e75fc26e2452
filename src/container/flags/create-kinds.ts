import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { SecurityOptions } from '../../bundle/container-spec.ts';
import { OcitsError } from '../../errors.ts';
import { networkChoice } from '../../network/choice.ts';
import { parseAddHost } from '../../network/names/hosts-file.ts';
import { parseBoolean } from '../../options/boolean.ts';
import { csvFields } from '../../options/csv-fields.ts';
import { spoken } from '../../options/kinds.ts';
import { parseMountFlag } from '../../options/mounts/mount-flag.ts';
import { parseTmpfsFlag } from '../../options/mounts/tmpfs-flag.ts';
import { parseVolumeFlag } from '../../options/mounts/volume-flag.ts';
import { parseInteger } from '../../options/number.ts';
import { splitPair } from '../../options/pair.ts';
import { parseExposed, parsePublish } from '../../options/ports.ts';
import type { Surroundings, ValueKind } from '../../options/value-kind.ts';
import { parseSignal } from '../../system/process/signal-number.ts';
import { parseEnvFile, parseEnvFlag } from './env-file.ts';

/** The name of a signal, as it was given. There is such a signal. */
export const signalName = spoken((text) => {
  parseSignal(text);
  return text;
});

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const NAME_LIMIT = 255;

/** A name for a container. */
export const containerName = spoken((text) => {
  if (NAME.test(text) && text.length <= NAME_LIMIT) return text;
  throw new OcitsError(
    'invalid-argument',
    `invalid container name ${JSON.stringify(text)}: it has 2 to ${NAME_LIMIT} letters, digits, "_", "." or "-", and begins with a letter or digit`,
  );
});

/** The text is one program; an empty one is none. */
export const programList: ValueKind<readonly string[]> = {
  parse: (text) => (text === '' ? [] : [text]),
  fault: 'is no program',
};

/** `NAME=value`, or `NAME` for the value that it has here. */
export const environmentVariable: ValueKind<string> = {
  parse: (text, { env }) => parseEnvFlag(text, env),
  fault: 'has no name',
};

/** The variables that a file has. */
export const environmentFile = spoken((path, { env, readFile }) => parseEnvFile(readFile(path), path, env));

/** The labels that a file has, one a line. */
export const labelFile = spoken((path, { readFile }) => labelLines(readFile(path)).map(labelOf));

function labelLines(content: string): string[] {
  return content
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function labelOf(line: string): readonly [name: string, value: string] {
  const [name, value = ''] = splitPair(line);
  if (name !== '') return [name, value];
  throw new OcitsError('invalid-argument', `--label-file: ${JSON.stringify(line)} has no name`);
}

/** A part of a host name, and how long the kernel lets one be. */
const HOSTNAME = /^[a-zA-Z0-9]([a-zA-Z0-9_-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9_-]*[a-zA-Z0-9])?)*$/;
const HOSTNAME_LIMIT = 64;

export const hostName: ValueKind<string> = {
  parse: (text) => (HOSTNAME.test(text) && text.length <= HOSTNAME_LIMIT ? text : undefined),
  fault: 'is not a host name',
};

export const nameServer: ValueKind<string> = {
  parse: (text) => (isIP(text) === 0 ? undefined : text),
  fault: 'is not an IP address',
};

export const extraHost = spoken((text) => parseAddHost(text));

/** A network's name, alone or as Docker's `name=NAME`; what else Docker can say of it there is not there yet. */
export const networkName = spoken((text) => {
  if (!text.includes('=')) return networkChoice(text);
  const fields = csvFields(text)?.map(splitPair) ?? [];
  const other = fields.find(([key]) => key !== 'name');
  if (other !== undefined)
    throw new OcitsError('unsupported', `--network ${text}: ${other[0]} is not there yet`);
  return networkChoice(fields.at(-1)?.[1]);
});

type SecurityChange = Partial<Pick<SecurityOptions, 'noNewPrivileges' | 'seccomp'>>;

/** A change of the security options; empty for what switches off something that containers here do not have. */
export const securityChange = spoken(parseSecurityChange);

const WITHOUT_EFFECT: readonly string[] = ['apparmor=unconfined', 'label=disable'];

function parseSecurityChange(text: string, { folder }: Surroundings): SecurityChange {
  // Docker still takes its former `name:value`.
  const option = text.includes('=') ? text : text.replace(':', '=');
  const [key, value] = splitPair(option);
  if (key === 'no-new-privileges') return { noNewPrivileges: switchValue(key, value) };
  if (key === 'seccomp') return { seccomp: seccompProfile(value ?? '', folder) };
  if (WITHOUT_EFFECT.includes(option)) return {};
  throw new OcitsError('unsupported', `--security-opt ${text} is not there yet`);
}

function switchValue(key: string, value: string | undefined): boolean {
  const isOn = value === undefined ? true : parseBoolean(value);
  if (isOn !== undefined) return isOn;
  throw new OcitsError(
    'invalid-argument',
    `--security-opt: ${key} is true or false, not ${JSON.stringify(value)}`,
  );
}

function seccompProfile(value: string, folder: string): string {
  if (value === '' || value === 'builtin' || value === 'default') return 'default';
  return value === 'unconfined' ? value : resolve(folder, value);
}

/** Those that belong to a container's namespaces, as Docker has them; no others may be set for one container. */
const SYSCTL =
  /^(?:net\..+|fs\.mqueue\..+|kernel\.(?:msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced))$/;

export const sysctl: ValueKind<readonly [name: string, value: string]> = {
  parse: (text) => {
    const [name, value] = splitPair(text);
    return value !== undefined && SYSCTL.test(name) ? [name, value] : undefined;
  },
  fault: 'is not net.…=value, fs.mqueue.…=value, or a kernel parameter of IPC such as kernel.shmmax=value',
};

export const oomScore: ValueKind<number> = {
  parse: (text) => {
    const score = parseInteger(text);
    return score !== undefined && Math.abs(score) <= 1000 ? score : undefined;
  },
  fault: 'is not a whole number from -1000 to 1000',
};

/** Processors or memory nodes. Whether the host has them shows at the start. */
export const numberSet: ValueKind<string> = {
  parse: (text) => (/^(?:\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*)?$/.test(text) ? text : undefined),
  fault: 'is not a list such as 0-3 or 0,1',
};

/** One text may be a range of ports. */
export const portPublish = spoken((text) => parsePublish(text));
export const portRange = spoken((text) => parseExposed(text));

/** `-v` and `--mount`, whose relative paths are taken from the folder. */
export const volumeMount = spoken((text, { folder }) => parseVolumeFlag(text, folder));
export const fieldMount = spoken((text, { folder }) => parseMountFlag(text, folder));
export const tmpfsMount = spoken((text) => parseTmpfsFlag(text));
