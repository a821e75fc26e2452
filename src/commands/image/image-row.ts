import { humanAge, humanSize } from '../../cli/output/human.ts';
import { goTimeText } from '../../cli/output/local-time.ts';
import type { ImageSummary } from '../../image/catalog/list-images.ts';
import { shortDigest } from '../../oci/digest.ts';
import { familiarRepository, type Reference } from '../../oci/reference.ts';

const NONE = '<none>';

/** What stands above the fields of `images`, by Docker's names. */
export const IMAGE_HEADERS = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  ID: 'IMAGE ID',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  VirtualSize: 'SIZE',
  SharedSize: 'SHARED SIZE',
  UniqueSize: 'UNIQUE SIZE',
  Containers: 'CONTAINERS',
};

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
    CreatedAt: image.created === undefined ? 'N/A' : goTimeText(image.created),
    Size: size,
    VirtualSize: humanSize(image.sizeBytes, 4),
    SharedSize: 'N/A',
    UniqueSize: 'N/A',
    Containers: 'N/A',
  };
}

function byRepository(names: readonly Reference[], pick: (name: Reference) => string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const name of names) {
    const repository = familiarRepository(name);
    found.set(repository, [...(found.get(repository) ?? []), pick(name)]);
  }
  return found;
}
