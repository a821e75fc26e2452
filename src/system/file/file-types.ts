/** The bits of `st_mode` that say what a file is. */
export const S_IFMT = 0o170000;

/** What they are for each type, stat(2). */
export const FILE_TYPES = {
  fifo: 0o010000,
  char: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
} as const;
