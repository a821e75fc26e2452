import { dockerfileError } from '../dockerfile-error.ts';
import type {
  ExposeInstruction,
  MaintainerInstruction,
  StopsignalInstruction,
  UserInstruction,
  VolumeInstruction,
  WorkdirInstruction,
} from '../instruction.ts';
import { readJsonArray } from '../text/json-array.ts';
import { splitFields } from '../text/split-words.ts';
import { onlyArgument, type ParseContext, requireArguments, toWords } from './parse-context.ts';

export function parseExpose(context: ParseContext): ExposeInstruction {
  context.flags.done();
  const ports = toWords(context, splitFields(context.args, context.argsOffset));
  requireArguments(context, ports.length);
  return { ...context.base, kind: 'EXPOSE', ports };
}

export function parseVolume(context: ParseContext): VolumeInstruction {
  context.flags.done();
  const { file, line, args, argsOffset } = context;
  const words = readJsonArray(file, line, argsOffset) ?? splitFields(args, argsOffset);
  requireArguments(context, words.length);
  const paths = toWords(context, words).map(({ text, at }) => ({ text: text.trim(), at }));
  const empty = paths.find(({ text }) => text === '');
  if (empty !== undefined) throw dockerfileError(file, empty.at, 'the path of a VOLUME may not be empty');
  return { ...context.base, kind: 'VOLUME', paths };
}

export function parseUser(context: ParseContext): UserInstruction {
  context.flags.done();
  return { ...context.base, kind: 'USER', user: onlyArgument(context) };
}

export function parseWorkdir(context: ParseContext): WorkdirInstruction {
  context.flags.done();
  return { ...context.base, kind: 'WORKDIR', path: onlyArgument(context) };
}

export function parseStopsignal(context: ParseContext): StopsignalInstruction {
  context.flags.done();
  return { ...context.base, kind: 'STOPSIGNAL', signal: onlyArgument(context) };
}

export function parseMaintainer(context: ParseContext): MaintainerInstruction {
  context.flags.done();
  return { ...context.base, kind: 'MAINTAINER', name: onlyArgument(context).text };
}
