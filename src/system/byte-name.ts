const ASCII = /^[\x01-\x7f]*$/;

/**
 * A path for Node's file calls from one whose characters are bytes (latin1): a string while that is the same, as
 * those are faster, else a Buffer.
 */
export function nativePath(bytes: string): string | Buffer {
  return ASCII.test(bytes) ? bytes : Buffer.from(bytes, 'latin1');
}
