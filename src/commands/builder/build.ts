/**
 * The room of the commands of builds: `build` and `builder prune`, their flags, and the request that the flags make.
 * Only the table of commands loads them. Each reads its flags, calls one function of `builder`, and prints. The
 * environment of the command reaches the build through `buildRequestFromFlags` alone.
 *
 *     $ ocits build --tag app:1 --build-arg VERSION=3 .
 *     const request = buildRequestFromFlags(flags, '.', process.env);
 *     const image = await buildImage(engine, call, request);
 */

import { writeFileSync } from 'node:fs';
import { buildImage } from '../../builder/build.ts';
import { BuildError } from '../../builder/request/build-error.ts';
import type { BuildRequest } from '../../builder/request/build-request.ts';
import type { Call } from '../../call.ts';
import { contentTrustFlag, oclifFlags, progressFlag, text, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { describeFailure } from '../../cli/output/build-failure.ts';
import { printable } from '../../cli/output/printable.ts';
import { openBuildRenderer } from '../../cli/render/build-renderer.ts';
import { OcitsError } from '../../errors.ts';
import type { Image } from '../../image/image.ts';
import { formatReference } from '../../oci/reference.ts';
import { BUILD_FLAGS, MISSING_BUILD_FLAGS } from './build-flags.ts';
import { buildRequestFromFlags } from './request-from-flags.ts';

export default class Build extends BaseCommand {
  static override summary = 'Build an image from a Dockerfile';
  static override usage = '[OPTIONS] PATH | -';
  static override arity = [1, 1] as const;
  static override flags = {
    ...oclifFlags(MISSING_BUILD_FLAGS),
    ...oclifFlags(BUILD_FLAGS),
    'disable-content-trust': contentTrustFlag,
    iidfile: text({ names: ['files'], description: "write the image's ID to a file" }),
    'metadata-file': text({ names: ['files'], description: 'write what the build gave to a file, as JSON' }),
    progress: progressFlag,
    push: toggle({ description: 'push the image under all its names' }),
    quiet: toggle({ char: 'q', description: "print the image's ID alone" }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Build);
    const request = buildRequestFromFlags(flags, args[0]!, process.env);
    if (flags.push && request.output.tags.length === 0) {
      throw new OcitsError('usage', '--push needs a name to push to', { hint: 'give it with --tag' });
    }
    const renderer = openBuildRenderer(flags.quiet ? 'quiet' : flags.progress);
    const { engine } = this;
    const call = this.call(renderer);
    try {
      const image = await buildImage(engine, call, request);
      if (flags.push) await this.#push(call, request);
      renderer.close();
      if (flags.iidfile !== undefined) writeFileSync(flags.iidfile, image.id);
      if (flags['metadata-file'] !== undefined) writeMetadata(flags['metadata-file'], image, request);
      if (flags.quiet) this.print(image.id);
    } catch (error) {
      renderer.close();
      if (error instanceof BuildError) process.stderr.write(printable(describeFailure(error.report)));
      throw error;
    }
  }

  async #push(call: Call, { output }: BuildRequest): Promise<void> {
    const { pushImages } = await import('../../image/transfer/push-images.ts');
    for (const reference of output.tags) {
      await pushImages(this.engine, call, { references: [reference] });
    }
  }
}

/** The names that Docker's build tool uses. */
function writeMetadata(path: string, image: Image, { output }: BuildRequest): void {
  const metadata = {
    'containerimage.config.digest': image.id,
    'containerimage.digest': image.manifestDescriptor.digest,
    'containerimage.descriptor': image.manifestDescriptor,
    'image.name': output.tags.length === 0 ? undefined : output.tags.map(formatReference).join(','),
  };
  writeFileSync(path, `${JSON.stringify(metadata, null, 2)}\n`);
}
