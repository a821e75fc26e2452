const ASCII = /^[\x01-\x7f]*$/;

/** The bytes of a text: one character a byte. */
export function toBytes(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/**
 * A path for Node's file calls from one whose characters are bytes (latin1): a string while that is the same, as
 * those are faster, else a Buffer.
 */
export function nativePath(bytes: string): string | Buffer {
  return ASCII.test(bytes) ? bytes : Buffer.from(bytes, 'latin1');
}
