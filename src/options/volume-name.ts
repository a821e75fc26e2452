import { OcitsError } from '../errors.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}$/;

export function isVolumeName(text: string): boolean {
  return NAME.test(text);
}

/** Throws `invalid-argument` for what cannot be a volume's name, and so must not become part of a path. */
export function checkVolumeName(text: string): void {
  if (isVolumeName(text)) return;
  throw new OcitsError(
    'invalid-argument',
    `invalid volume name ${JSON.stringify(text)}: it has 2 to 255 letters, digits, "_", "." or "-", and begins with a letter or digit`,
    { hint: 'a folder of the host is given by its absolute path, or beginning with ./' },
  );
}
