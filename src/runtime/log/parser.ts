/** What a container has written, in order; `data` ends where the container ended a line, or where it paused. */
export interface LogChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Buffer;
}

export interface LogFilter {
  /** Puts the time of each line in front of it: UTC with nanoseconds, as Docker has it. */
  readonly timestamps?: boolean | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

const NEWLINE = 10;
const SPACE = 32;
const FULL = 70;
const STDERR_LETTER = 101;

/**
 * Reads conmon's `k8s-file` format: lines of `TIME STREAM P|F TEXT`, where P says that the container's line goes on in
 * the stream's next record. Parts are joined, the two streams stay apart, and the bytes of the text are kept.
 */
export class LogParser {
  readonly #filter: LogFilter;
  /** The bytes of a record whose end has not been read yet. */
  #rest: Buffer = Buffer.alloc(0);
  #isContinued = { stdout: false, stderr: false };
  #isPastSince: boolean;
  #isPastUntil = false;

  constructor(filter: LogFilter = {}) {
    this.#filter = filter;
    this.#isPastSince = filter.since === undefined;
  }

  /** Whether all that follows is later than `until`. */
  get isDone(): boolean {
    return this.#isPastUntil;
  }

  /** What `bytes`, the next ones of the file, add to the log. Neighbours of one stream are one chunk. */
  push(bytes: Buffer): LogChunk[] {
    const input = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    // A record is longer than what it gives, with its time or without.
    const output = Buffer.allocUnsafe(input.length);
    const chunks: LogChunk[] = [];
    let chunkStart = 0;
    let length = 0;
    let current: LogChunk['stream'] = 'stdout';
    const flush = () => {
      if (length > chunkStart) chunks.push({ stream: current, data: output.subarray(chunkStart, length) });
      chunkStart = length;
    };
    let start = 0;
    for (;;) {
      const end = input.indexOf(NEWLINE, start);
      if (end < 0 || this.#isPastUntil) break;
      const stream = streamOf(input, start, end);
      if (stream !== undefined && this.#isWanted(input, start)) {
        if (stream !== current) flush();
        current = stream;
        length += this.#copy(input, start, end, output, length, stream);
      }
      start = end + 1;
    }
    flush();
    this.#rest = Buffer.from(input.subarray(start));
    return chunks;
  }

  /** Copies one record's text, and its time where that is asked for; returns how many bytes that gave. */
  #copy(
    input: Buffer,
    start: number,
    end: number,
    output: Buffer,
    at: number,
    stream: LogChunk['stream'],
  ): number {
    const timeEnd = input.indexOf(SPACE, start);
    const tag = timeEnd + stream.length + 2;
    const isFull = input[tag] === FULL;
    let length = 0;
    if (this.#filter.timestamps === true && !this.#isContinued[stream]) {
      length += copyTime(input, start, timeEnd, output, at);
    }
    length += input.copy(output, at + length, tag + 2, isFull ? end + 1 : end);
    this.#isContinued[stream] = !isFull;
    return length;
  }

  /** Times in a log only grow, so the first one late enough settles `since`. */
  #isWanted(input: Buffer, start: number): boolean {
    const { since, until } = this.#filter;
    if (this.#isPastSince && until === undefined) return true;
    const time = Date.parse(input.toString('latin1', start, input.indexOf(SPACE, start)));
    if (until !== undefined && time > until.getTime()) this.#isPastUntil = true;
    if (since !== undefined && time >= since.getTime()) this.#isPastSince = true;
    return this.#isPastSince && !this.#isPastUntil;
  }
}

/** `2024-05-01T10:00:00.123456789`: what stands before the offset, which conmon writes as `+00:00`. */
const LOCAL_TIME_LENGTH = 29;

/**
 * Copies the time of a record, which conmon writes in the host's zone, as UTC with a `Z` and a blank behind; returns
 * how many bytes that gave. A time in another form is copied as it is.
 */
function copyTime(input: Buffer, start: number, end: number, output: Buffer, at: number): number {
  const time = input.toString('latin1', start, end);
  const offset = time.slice(LOCAL_TIME_LENGTH);
  const seconds = time.slice(0, '2024-05-01T10:00:00'.length);
  const utc = offset === '+00:00' ? seconds : utcSeconds(seconds, offset);
  if (utc === undefined) return input.copy(output, at, start, end + 1);
  return output.write(`${utc}${time.slice(seconds.length, LOCAL_TIME_LENGTH)}Z `, at, 'latin1');
}

function utcSeconds(seconds: string, offset: string): string | undefined {
  if (!/^[+-]\d\d:\d\d$/.test(offset)) return undefined;
  const time = Date.parse(`${seconds}${offset}`);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString().slice(0, seconds.length);
}

/** The stream of a record; undefined where the line is no record, as after a crash in the middle of one. */
function streamOf(input: Buffer, start: number, end: number): LogChunk['stream'] | undefined {
  const timeEnd = input.indexOf(SPACE, start);
  const stream = input[timeEnd + 4] === STDERR_LETTER ? 'stderr' : 'stdout';
  const tag = timeEnd + stream.length + 2;
  return timeEnd > start && tag + 1 < end && input[tag + 1] === SPACE && input[tag - 1] === SPACE
    ? stream
    : undefined;
}
