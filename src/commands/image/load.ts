import { platformFlag, progressFlag, text, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { openRenderer } from '../../cli/render/renderer.ts';
import { OcitsError } from '../../errors.ts';
import { loadImages } from '../../image/archive/load-images.ts';
import { familiarName } from '../../oci/reference.ts';

export default class Load extends BaseCommand {
  static override summary = 'Take images out of an archive, or the folder of an OCI layout';
  static override usage = '[OPTIONS]';
  static override flags = {
    input: text({
      char: 'i',
      names: ['files'],
      description: 'read from a file or folder, not from standard input',
    }),
    platform: platformFlag,
    progress: progressFlag,
    quiet: toggle({ char: 'q', description: 'show no progress' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.read(Load);
    if (flags.input === undefined && process.stdin.isTTY) {
      throw new OcitsError('invalid-argument', 'requested load from stdin, but stdin is empty', {
        hint: 'name an archive: ocits load -i FILE',
      });
    }
    const renderer = openRenderer(flags.quiet ? 'quiet' : (flags.progress ?? defaultProgress()));
    const call = this.call(renderer);
    const input = flags.input === undefined ? { stream: process.stdin } : { path: flags.input };
    try {
      for (const { names, ids } of await loadImages(this.engine, call, input, flags.platform)) {
        for (const name of names) this.print(`Loaded image: ${familiarName(name)}`);
        if (names.length === 0) for (const id of ids) this.print(`Loaded image ID: ${id}`);
      }
    } finally {
      renderer.close();
    }
  }
}

/** Docker shows bars on a terminal, and nothing elsewhere. */
function defaultProgress() {
  return process.stderr.isTTY ? 'auto' : 'quiet';
}
