import { readFileSync } from 'node:fs';
import { isErrno } from '../../errors.ts';

/** The options by which crun writes its log to a file that the functions here read. */
export function crunLogOptions(path: string): readonly string[] {
  return ['--log', path, '--log-format', 'json'];
}

/** What crun has written to its log: the reason why it failed; empty where it did not. */
export function readCrunError(path: string): string {
  return readCrunLog(path).messages.join('\n').trim();
}

/**
 * What a process has printed on its terminal and crun has not passed on: a crun (1.8 does) that sees the end of the
 * process before its output writes the output to its log, in chunks of at most 255 bytes. Of a chunk with a NUL in it
 * the rest is lost.
 */
export function readLeftOutput(path: string): Buffer {
  return joinChunks(readCrunLog(path).rest);
}

interface CrunLog {
  readonly messages: readonly string[];
  /** All that is no message of crun's. */
  readonly rest: Buffer;
}

const NEWLINE = 10;
const RETURN = 13;

function readCrunLog(path: string): CrunLog {
  const bytes = bytesIfThere(path);
  const messages: string[] = [];
  const rest: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    const line = bytes.subarray(start, end);
    const message = parseMessage(line);
    if (message === undefined) rest.push(line);
    else messages.push(message);
    start = end;
  }
  return { messages, rest: Buffer.concat(rest) };
}

function parseMessage(line: Buffer): string | undefined {
  if (!line.toString('latin1', 0, MESSAGE_START.length).startsWith(MESSAGE_START)) return undefined;
  try {
    const { msg, level } = JSON.parse(line.toString()) as { msg?: unknown; level?: unknown };
    return typeof msg === 'string' && typeof level === 'string' ? msg : undefined;
  } catch {
    return undefined;
  }
}

const MESSAGE_START = '{"msg":';

/** crun reads so many bytes at a time, and ends each chunk with a newline of its own. */
const CHUNK_BYTES = 255;

/**
 * Takes crun's newlines out. A chunk may be shorter than the others in the middle, too: a terminal ends its lines with
 * a carriage return and a newline, so that one by itself is crun's.
 */
function joinChunks(bytes: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const full = start + CHUNK_BYTES;
    const end = bytes[full] === NEWLINE ? full : loneNewline(bytes, start);
    chunks.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return Buffer.concat(chunks);
}

/** Where the first newline without a carriage return before it is; else the last byte. */
function loneNewline(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(NEWLINE, from); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
    if (at === from || bytes[at - 1] !== RETURN) return at;
  }
  return bytes.length - 1;
}

function bytesIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return Buffer.alloc(0);
    throw error;
  }
}
