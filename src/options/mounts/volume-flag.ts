import { resolve } from 'node:path';
import { OcitsError } from '../../errors.ts';
import { isVolumeName } from '../volume-name.ts';
import { cleanTarget, isPropagation, type MountRequest } from './mount-request.ts';

/** Say nothing on Linux: for Docker's virtual machines, and for SELinux, which containers here do not use. */
const IGNORED: readonly string[] = ['rw', 'z', 'Z', 'cached', 'consistent', 'delegated', 'default', 'copy'];

interface VolumeOptions {
  readonly readOnly: boolean;
  readonly copyImage: boolean;
  readonly propagation?: string | undefined;
  readonly recursive?: boolean | undefined;
}

/**
 * Reads a value of `-v`: `name:/target[:options]`, `/host:/target[:options]`, `./host:/target`, or `/target` alone for
 * an anonymous volume. A relative host path is taken from `folder`. Throws `invalid-argument` that quotes the fault.
 */
export function parseVolumeFlag(text: string, folder: string): MountRequest {
  const parts = text.split(':');
  if (parts.length > 3)
    throw fault(text, 'it has more than two colons', 'write it as --mount type=bind,source=…,target=…');
  const [source, target, optionText] = parts.length === 1 ? ['', ...parts, ''] : [...parts, ''];
  if (target === '' || (parts.length > 1 && source === '')) throw fault(text, 'a part of it is empty');
  const options = parseOptions(optionText ?? '', text);
  const cleaned = cleanTarget(target!, `-v ${text}`);
  if (source!.startsWith('/') || source!.startsWith('.'))
    return bind(resolve(folder, source!), cleaned, options);
  const { readOnly, copyImage } = options;
  if (options.propagation !== undefined) throw fault(text, 'a volume has no bind propagation');
  if (source === '') return { kind: 'volume', target: cleaned, readOnly, copyImage, labels: {} };
  if (!isVolumeName(source!)) {
    throw fault(
      text,
      `${JSON.stringify(source)} is neither a path nor the name of a volume`,
      'begin a path with / or ./; names have letters, digits, "_", "." and "-"',
    );
  }
  return { kind: 'volume', name: source!, target: cleaned, readOnly, copyImage, labels: {} };
}

function bind(source: string, target: string, options: VolumeOptions): MountRequest {
  const { readOnly, propagation, recursive } = options;
  return {
    kind: 'bind',
    source,
    target,
    readOnly,
    createSource: true,
    propagation,
    recursive,
  };
}

function parseOptions(optionText: string, text: string): VolumeOptions {
  const options: { -readonly [K in keyof VolumeOptions]: VolumeOptions[K] } = {
    readOnly: false,
    copyImage: true,
  };
  for (const option of optionText === '' ? [] : optionText.split(',')) {
    if (option === 'ro' || option === 'readonly') options.readOnly = true;
    else if (option === 'nocopy') options.copyImage = false;
    else if (option === 'rbind' || option === 'bind') options.recursive = option === 'rbind';
    else if (isPropagation(option)) options.propagation = option;
    else if (!IGNORED.includes(option)) throw fault(text, `unknown option ${JSON.stringify(option)}`);
  }
  return options;
}

function fault(text: string, why: string, hint?: string): OcitsError {
  return new OcitsError('invalid-argument', `invalid volume ${JSON.stringify(text)}: ${why}`, { hint });
}
