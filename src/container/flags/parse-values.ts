import { OcitsError } from '../../errors.ts';
import { parseByteSize } from '../../options/byte-size.ts';
import { type DeviceMapping, parseDevice } from '../../options/device.ts';
import { parseDecimal, parseInteger } from '../../options/number.ts';
import { parsePair } from '../../options/pair.ts';
import { parseUlimit, type ResourceLimit } from '../../options/ulimit.ts';

/** Reads a size. Throws `invalid-argument`. */
export function readByteSize(text: string, flag: string): number {
  return parseByteSize(text) ?? fault(flag, text, 'is not a size such as 512m or 1g');
}

/** Reads a whole number. Throws `invalid-argument`. */
export function readInteger(text: string, flag: string): number {
  return parseInteger(text) ?? fault(flag, text, 'is not a whole number');
}

/** Reads a number of processors. Throws `invalid-argument`. */
export function readDecimal(text: string, flag: string): number {
  return parseDecimal(text) ?? fault(flag, text, 'is not a number');
}

/** Reads `name=value` pairs. Throws `invalid-argument` for an empty name. */
export function readPairs(texts: readonly string[], flag: string): Record<string, string> {
  return Object.fromEntries(texts.map((text) => parsePair(text) ?? fault(flag, text, 'has no name')));
}

/** Reads a value of `--ulimit`. Throws `invalid-argument`. */
export function readUlimit(text: string): ResourceLimit {
  return parseUlimit(text) ?? fault('--ulimit', text, 'is not name=soft[:hard]');
}

/** Reads a value of `--device`. Throws `invalid-argument`. */
export function readDevice(text: string): DeviceMapping {
  return (
    parseDevice(text) ?? fault('--device', text, 'is not /dev/of-the-host[:/dev/of-the-container][:rwm]')
  );
}

function fault(flag: string, text: string, why: string): never {
  throw new OcitsError('invalid-argument', `${flag}: ${JSON.stringify(text)} ${why}`);
}
