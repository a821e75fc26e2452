import type { DeviceMapping } from '../../bundle/container-spec.ts';
import { OcitsError } from '../../errors.ts';
import type { ResourceLimit } from './create-request.ts';

const UNIT_POWERS: Readonly<Record<string, number>> = { '': 0, b: 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/** Reads a size as Docker's flags take it: `512m`, `1.5g`, `2GiB`, bytes without a unit. Throws `invalid-argument`. */
export function parseBytes(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([bkmgtp]?)(?:i?b)?$/i.exec(text);
  if (match === null) throw fault(flag, text, 'is not a size such as 512m or 1g');
  return Math.floor(Number(match[1]) * 1024 ** UNIT_POWERS[match[2]!.toLowerCase()]!);
}

/** Reads a whole number. Throws `invalid-argument`. */
export function parseInteger(text: string, flag: string): number {
  if (/^[+-]?\d{1,15}$/.test(text)) return Number(text);
  throw fault(flag, text, 'is not a whole number');
}

/** Reads a number of processors. Throws `invalid-argument`. */
export function parseDecimal(text: string, flag: string): number {
  if (/^\d+(\.\d+)?$|^\.\d+$/.test(text)) return Number(text);
  throw fault(flag, text, 'is not a number');
}

/** Reads `name=value` pairs; one without `=` has an empty value. Throws `invalid-argument` for an empty name. */
export function parsePairs(texts: readonly string[], flag: string): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf('=');
      const name = equals < 0 ? text : text.slice(0, equals);
      if (name === '') throw fault(flag, text, 'has no name');
      return [name, equals < 0 ? '' : text.slice(equals + 1)];
    }),
  );
}

/** Reads a value of `--ulimit`: `nofile=1024`, `nofile=1024:2048`; -1 is unlimited. Throws `invalid-argument`. */
export function parseUlimit(text: string): ResourceLimit {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (match === null) throw fault('--ulimit', text, 'is not name=soft[:hard]');
  const soft = Number(match[2]);
  return { type: `RLIMIT_${match[1]!.toUpperCase()}`, soft, hard: Number(match[3] ?? soft) };
}

/** Reads a value of `--device`: `/dev/x[:/dev/y][:rwm]`. Throws `invalid-argument`. */
export function parseDevice(text: string): DeviceMapping {
  const parts = text.split(':');
  const last = parts.at(-1)!;
  const permissions = parts.length > 1 && /^[rwm]{1,3}$/.test(last) ? parts.pop()! : 'rwm';
  const [hostPath = '', containerPath = hostPath, ...more] = parts;
  if (more.length > 0 || !hostPath.startsWith('/') || !containerPath.startsWith('/')) {
    throw fault('--device', text, 'is not /dev/of-the-host[:/dev/of-the-container][:rwm]');
  }
  return { hostPath, containerPath, permissions };
}

function fault(flag: string, text: string, why: string): OcitsError {
  return new OcitsError('invalid-argument', `${flag}: ${JSON.stringify(text)} ${why}`);
}
