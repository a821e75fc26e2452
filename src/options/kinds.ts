import { parsePlatform } from '../oci/platform.ts';
import { parseByteSize } from './byte-size.ts';
import { parseDevice } from './device.ts';
import { parseDecimal, parseInteger } from './number.ts';
import { parsePair } from './pair.ts';
import { parseTime } from './time.ts';
import { parseUlimit } from './ulimit.ts';
import type { ValueKind } from './value-kind.ts';

/** A kind whose `parse` says itself what is wrong. */
export function spoken<T>(parse: ValueKind<T>['parse']): ValueKind<T> {
  return { parse, fault: 'cannot be read' };
}

/** Bytes, such as `512m`. */
export const byteSize: ValueKind<number> = {
  parse: parseByteSize,
  fault: 'is not a size such as 512m or 1g',
};

/** Bytes, or -1 for no limit. */
export const byteSizeOrUnlimited: ValueKind<number> = {
  ...byteSize,
  parse: (text) => (text === '-1' ? -1 : parseByteSize(text)),
};

export const integer: ValueKind<number> = { parse: parseInteger, fault: 'is not a whole number' };

export const decimal: ValueKind<number> = { parse: parseDecimal, fault: 'is not a number' };

/** `name=value`; without `=` the value is empty. */
export const pair: ValueKind<readonly [name: string, value: string]> = {
  parse: parsePair,
  fault: 'has no name',
};

/** A point in time, or how long ago it was. */
export const time: ValueKind<Date> = {
  parse: (text) => parseTime(text),
  fault: 'is neither a time nor a duration such as 10m',
};

export const ulimit = { parse: parseUlimit, fault: 'is not name=soft[:hard]' };

export const device = {
  parse: parseDevice,
  fault: 'is not /dev/of-the-host[:/dev/of-the-container][:rwm]',
};

/** Docker's variable for the platform of `pull`, `run`, `create`, `build` and `import`. */
export const PLATFORM_VARIABLE = 'DOCKER_DEFAULT_PLATFORM';

/** `os/arch[/variant]`. */
export const platform = spoken((text) => parsePlatform(text));
