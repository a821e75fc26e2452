import { humanAge, humanSize } from '../../cli/output/human.ts';
import type { ImageSummary } from '../../image/catalog/list-images.ts';
import { shortDigest } from '../../oci/digest.ts';
import { familiarRepository, type Reference } from '../../oci/reference.ts';

const NONE = '<none>';

/** One line of `images`: an image under one of its names. */
export interface ImageLine {
  readonly image: ImageSummary;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

/**
 * The lines of an image, as Docker has them: one a tag (with digests, one a tag and digest of its repository), then
 * one for each repository that knows it by digest alone; an image without any name has one line of its own.
 */
export function imageLines(image: ImageSummary, withDigests: boolean): ImageLine[] {
  const digests = byRepository(image.digests, ({ digest }) => digest!);
  const lines: ImageLine[] = [];
  for (const [repository, tags] of byRepository(image.tags, ({ tag }) => tag!)) {
    const known = withDigests ? (digests.get(repository) ?? [NONE]) : [NONE];
    for (const tag of tags) for (const digest of known) lines.push({ image, repository, tag, digest });
    digests.delete(repository);
  }
  for (const [repository, known] of digests) {
    for (const digest of withDigests ? known : known.slice(0, 1)) {
      lines.push({ image, repository, tag: NONE, digest });
    }
  }
  return lines.length > 0 ? lines : [{ image, repository: NONE, tag: NONE, digest: NONE }];
}

/** What a template of `images` sees of a line, in Docker's names. */
export function imageRow(
  { image, repository, tag, digest }: ImageLine,
  { noTrunc, now = new Date() }: { readonly noTrunc: boolean; readonly now?: Date | undefined },
): Readonly<Record<string, unknown>> {
  const size = humanSize(image.sizeBytes);
  return {
    ID: noTrunc ? image.id : shortDigest(image.id),
    Repository: repository,
    Tag: tag,
    Digest: digest,
    CreatedSince: humanAge(image.created, now),
    CreatedAt: goTime(image.created),
    Size: size,
    VirtualSize: size,
    SharedSize: 'N/A',
    UniqueSize: 'N/A',
    Containers: 'N/A',
  };
}

/** A time as Go prints it: `2024-01-02 03:04:05 +0000 UTC`. */
export function goTime(date: Date | undefined): string {
  if (date === undefined) return 'N/A';
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}

function byRepository(names: readonly Reference[], pick: (name: Reference) => string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const name of names) {
    const repository = familiarRepository(name);
    found.set(repository, [...(found.get(repository) ?? []), pick(name)]);
  }
  return found;
}
