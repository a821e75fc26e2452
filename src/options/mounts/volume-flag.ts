import { posix, resolve } from 'node:path';
import { OcitsError } from '../../errors.ts';
import { isVolumeName } from '../volume-name.ts';
import { cleanTarget, isPropagation, type MountRequest } from './mount-request.ts';

/**
 * The options that there are, in groups of which one may stand. Those of labels and of consistency say nothing here:
 * they are for SELinux, which containers here do not use, and for Docker's virtual machines.
 */
const GROUPS: readonly (readonly string[])[] = [
  ['ro', 'rw', 'readonly'],
  ['copy', 'nocopy'],
  ['bind', 'rbind'],
  ['z', 'Z'],
  ['cached', 'consistent', 'delegated', 'default'],
];

interface VolumeOptions {
  readonly readOnly: boolean;
  readonly copyImage: boolean;
  readonly propagation: string | undefined;
  readonly recursive: boolean | undefined;
}

/**
 * Reads a value of `-v`: `name:/target[:options]`, `/host:/target[:options]`, `./host:/target`, or the target alone for
 * an anonymous volume. A relative host path is taken from `folder`, a relative target that stands alone from the root of
 * the container: `-v data` and `-v ./data` are both an anonymous volume on `/data`, as in Docker. Throws `invalid-argument` that quotes the fault.
 */
export function parseVolumeFlag(text: string, folder: string): MountRequest {
  const parts = text.split(':');
  if (parts.length > 3)
    throw fault(text, 'it has more than two colons', 'write it as --mount type=bind,source=…,target=…');
  const [source, target, optionText] = parts.length === 1 ? ['', ...parts, ''] : [...parts, ''];
  if (target === '' || (parts.length > 1 && source === '')) throw fault(text, 'a part of it is empty');
  const options = parseOptions(optionText ?? '', text);
  const alone = source === '';
  const cleaned = cleanTarget(alone ? posix.join('/', target!) : target!, `-v ${text}`);
  if (source!.startsWith('/') || source!.startsWith('.'))
    return bind(text, { source: resolve(folder, source!), target: cleaned }, options);
  const { readOnly, copyImage } = options;
  if (options.propagation !== undefined) throw fault(text, 'a volume has no bind propagation');
  if (alone) return { kind: 'volume', target: cleaned, readOnly, copyImage, labels: {} };
  if (!isVolumeName(source!)) {
    throw fault(
      text,
      `${JSON.stringify(source)} is neither a path nor the name of a volume`,
      'begin a path with / or ./; names have letters, digits, "_", "." and "-"',
    );
  }
  return { kind: 'volume', name: source!, target: cleaned, readOnly, copyImage, labels: {} };
}

function bind(
  text: string,
  place: { readonly source: string; readonly target: string },
  { readOnly, propagation, recursive, copyImage }: VolumeOptions,
): MountRequest {
  if (!copyImage)
    throw fault(text, 'a folder of the host is not filled from the image, so nocopy is not for it');
  return { kind: 'bind', ...place, readOnly, createSource: true, propagation, recursive };
}

function parseOptions(optionText: string, text: string): VolumeOptions {
  const given = optionText === '' ? [] : optionText.split(',');
  const strange = given.find((option) => groupOf(option) === undefined);
  if (strange !== undefined) throw fault(text, `unknown option ${JSON.stringify(strange)}`);
  checkContradictions(given, text);
  const readOnly = given.includes('ro') || given.includes('readonly');
  const propagation = given.find(isPropagation);
  const recursive = given.includes('rbind') ? true : given.includes('bind') ? false : undefined;
  return { readOnly, copyImage: !given.includes('nocopy'), propagation, recursive };
}

function checkContradictions(given: readonly string[], text: string): void {
  given.forEach((option, index) => {
    const other = given.slice(0, index).find((earlier) => groupOf(earlier) === groupOf(option));
    if (other === undefined) return;
    const pair = `${JSON.stringify(other)} and ${JSON.stringify(option)} contradict each other`;
    throw fault(text, other === option ? `${JSON.stringify(option)} is given twice` : pair);
  });
}

/** What an option is about; undefined where there is no such option. */
function groupOf(option: string): number | undefined {
  if (isPropagation(option)) return GROUPS.length;
  const index = GROUPS.findIndex((group) => group.includes(option));
  return index < 0 ? undefined : index;
}

function fault(text: string, why: string, hint?: string): OcitsError {
  return new OcitsError('invalid-argument', `invalid volume ${JSON.stringify(text)}: ${why}`, { hint });
}
