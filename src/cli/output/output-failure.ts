import { fstatSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { getSystemErrorMessage } from 'node:util';
import { isErrno, OcitsError } from '../../errors.ts';

type Output = NodeJS.WriteStream & Writable & { readonly fd: number };

/**
 * What became of our standard output. A failure to write it, or standard error, is a fact that is asked for at the end:
 * else it would end the process in the middle of a command.
 */
export class OutputFailures {
  #first: Error | undefined;

  /** To be called again once a command's module is loaded, as oclif's adds a listener that throws. */
  keep(): void {
    for (const stream of [process.stdout, process.stderr] as Output[]) {
      stream.removeAllListeners('error');
      stream.on('error', (error) => {
        // Node forgets it, to write again.
        if (stream === process.stdout) this.#first ??= error;
      });
      if (isFile(stream.fd)) stream._write = wholeWriter(stream.fd);
    }
  }

  get #failure(): Error | undefined {
    return this.#first ?? process.stdout.errored ?? undefined;
  }

  /** Whether whoever read our standard output has gone, such as `head`. */
  get readerHasGone(): boolean {
    return isErrno(this.#failure, 'EPIPE');
  }

  /** Why what was printed is not all on our standard output; undefined where it is, or nobody reads it any more. */
  get error(): OcitsError | undefined {
    const cause: NodeJS.ErrnoException | undefined = this.#failure;
    if (cause === undefined || this.readerHasGone) return undefined;
    const reason = cause.errno === undefined ? cause.message : getSystemErrorMessage(cause.errno);
    const code = isErrno(cause, 'ENOSPC', 'EDQUOT') ? 'disk-full' : 'tool-failed';
    return new OcitsError(code, `cannot write to standard output: ${reason}`, { cause });
  }
}

/** Node's stream for files takes a write of a part, as on a disk that becomes full, for one of all. */
function wholeWriter(fd: number): Writable['_write'] {
  return (chunk: Buffer, _encoding, done) => {
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  };
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}
