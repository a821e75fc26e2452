import { dockerfileError } from '../dockerfile-error.ts';

/**
 * A Dockerfile's text. A UTF-8 byte-order mark is dropped; UTF-16 and bytes that are not UTF-8 are refused with their
 * place, since no instruction could carry them on faithfully. Throws `syntax`.
 */
export function decodeDockerfile(content: Uint8Array | string, file: string): string {
  if (typeof content === 'string') return content.startsWith('\ufeff') ? content.slice(1) : content;
  const [first, second] = content;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw dockerfileError(file, { line: 1, column: 1 }, 'the Dockerfile is UTF-16 text', {
      hint: 'save it as UTF-8',
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch (cause) {
    throw dockerfileError(file, firstInvalid(content), 'the Dockerfile is not UTF-8 text', {
      cause,
      hint: 'save it as UTF-8',
    });
  }
}

/** The place of the first byte that is not UTF-8: everything before it decodes to itself. */
function firstInvalid(content: Uint8Array): { line: number; column: number } {
  const lenient = new TextDecoder('utf-8').decode(content);
  const strict = new TextEncoder();
  let line = 1;
  let offset = 0;
  for (const text of lenient.split('\n')) {
    const bytes = strict.encode(text);
    for (let i = 0; i < bytes.length; i++) {
      if (content[offset + i] === bytes[i]) continue;
      const column = new TextDecoder('utf-8').decode(bytes.subarray(0, i)).replace(/\ufffd+$/, '').length + 1;
      return { line, column };
    }
    offset += bytes.length + 1;
    line++;
  }
  return { line: 1, column: 1 };
}

/** BuildKit reads a line into a buffer of 64 KiB, its end with it. */
const LINE_LIMIT_BYTES = 65_535;

/** Throws `syntax` at the first line that is longer than BuildKit takes. */
export function refuseLongLines(text: string, file: string): void {
  let line = 1;
  for (let start = 0; start < text.length; line++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    // Three bytes are the most that a character of a string takes.
    if (
      3 * (end - start) > LINE_LIMIT_BYTES &&
      Buffer.byteLength(text.slice(start, end)) > LINE_LIMIT_BYTES
    ) {
      const message = `the line is longer than ${LINE_LIMIT_BYTES} bytes`;
      const hint = 'break it with a backslash at the end of each part, or copy a file instead';
      throw dockerfileError(file, { line, column: 1 }, message, { hint });
    }
    start = end + 1;
  }
}
