import { parseDurationNs } from '../../options/duration.ts';
import { dockerfileError } from '../dockerfile-error.ts';
import type { Healthcheck, HealthcheckInstruction } from '../instruction.ts';
import type { Word } from '../source.ts';
import { leadingSpace } from '../text/characters.ts';
import { readJsonArray } from '../text/json-array.ts';
import { wordEnd } from '../text/logical-line.ts';
import { fail, type ParseContext, requireArguments } from './parse-context.ts';

const MILLISECOND_NS = 1e6;

/** `HEALTHCHECK [--interval=…] … CMD command` or `HEALTHCHECK NONE`. */
export function parseHealthcheck(context: ParseContext): HealthcheckInstruction {
  const { args, flags } = context;
  requireArguments(context, args.length);
  const end = wordEnd(args, 0);
  const kind = args.slice(0, end).toUpperCase();
  const rest = end + leadingSpace(args.slice(end));
  if (kind === 'NONE') {
    flags.done();
    if (rest < args.length) fail(context, 'HEALTHCHECK NONE takes no arguments');
    return { ...context.base, kind: 'HEALTHCHECK', healthcheck: { test: ['NONE'] } };
  }
  if (kind !== 'CMD') {
    fail(context, `unknown kind ${JSON.stringify(kind)} of HEALTHCHECK`, 'use CMD or NONE');
  }
  const times = parseTimes(context);
  flags.done();
  if (rest >= args.length) fail(context, 'HEALTHCHECK CMD lacks its command');
  const words = readJsonArray(context.file, context.line, context.argsOffset + rest);
  if (words?.length === 0) fail(context, 'HEALTHCHECK CMD lacks its command');
  const test =
    words === undefined ? ['CMD-SHELL', args.slice(rest)] : ['CMD', ...words.map(({ text }) => text)];
  return { ...context.base, kind: 'HEALTHCHECK', healthcheck: { test, ...times } };
}

function parseTimes(context: ParseContext): Omit<Healthcheck, 'test'> {
  const { flags } = context;
  const times = {
    intervalNs: duration(context, flags.string('interval')),
    timeoutNs: duration(context, flags.string('timeout')),
    startPeriodNs: duration(context, flags.string('start-period')),
    startIntervalNs: duration(context, flags.string('start-interval')),
    retries: retries(context, flags.string('retries')),
  };
  return Object.fromEntries(Object.entries(times).filter(([, value]) => value !== undefined));
}

function duration(context: ParseContext, word: Word | undefined): number | undefined {
  if (word === undefined) return undefined;
  const value = parseDurationNs(word.text);
  if (value !== undefined && (value === 0 || value >= MILLISECOND_NS)) return value;
  const fault = value === undefined ? 'is no duration' : 'is shorter than 1ms';
  throw dockerfileError(context.file, word.at, `${JSON.stringify(word.text)} ${fault}`, {
    hint: 'write it like 30s, 1m30s or 500ms',
  });
}

function retries(context: ParseContext, word: Word | undefined): number | undefined {
  if (word === undefined) return undefined;
  const value = Number(word.text);
  if (/^\+?\d+$/.test(word.text) && value < 2 ** 31) return value;
  throw dockerfileError(
    context.file,
    word.at,
    `--retries ${JSON.stringify(word.text)} is no number from 0 on`,
  );
}
