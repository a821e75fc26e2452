const SYSTEM_FOLDERS: readonly string[] = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
];

/**
 * Where the host's programs are looked for, by us and by what we start: the absolute folders of PATH, then the system's.
 * A relative or empty entry would let the current directory, such as a build context, decide what runs as root; and
 * `su` leaves a PATH without the sbin folders.
 */
export function toolPath(path: string | undefined): string {
  const given = (path ?? '').split(':').filter((folder) => folder.startsWith('/'));
  return [...new Set([...given, ...SYSTEM_FOLDERS])].join(':');
}
