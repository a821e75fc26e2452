import { constants } from 'node:os';
import { OcitsError } from '../../errors.ts';

/** Linux's, which Node does not know. */
const FIRST_REALTIME = 34;
const LAST_REALTIME = 64;
const ALIASES: Readonly<Record<string, string>> = { CLD: 'CHLD' };

/**
 * The number of a signal that is given as a name in any case with or without `SIG`, as `RTMIN+n` or `RTMAX-n`, or as a
 * number. Throws `invalid-argument`.
 */
export function parseSignal(text: string): number {
  const name = text.trim().toUpperCase().replace(/^SIG/, '');
  if (/^\d+$/.test(name)) {
    const number = Number(name);
    if (number >= 1 && number <= LAST_REALTIME) return number;
  }
  const known = (constants.signals as Readonly<Record<string, number>>)[`SIG${ALIASES[name] ?? name}`];
  if (known !== undefined) return known;
  const [, base, sign, offset = '0'] = /^(RTMIN|RTMAX)(?:([+-])(\d+))?$/.exec(name) ?? [];
  if (base !== undefined) {
    const number =
      (base === 'RTMIN' ? FIRST_REALTIME : LAST_REALTIME) + (sign === '-' ? -1 : 1) * Number(offset);
    if (number >= FIRST_REALTIME && number <= LAST_REALTIME) return number;
  }
  throw new OcitsError('invalid-argument', `${JSON.stringify(text)} is no signal`, {
    hint: 'give a name such as TERM or a number such as 15',
  });
}
