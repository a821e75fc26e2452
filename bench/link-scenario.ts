import { join } from 'node:path';
import { median, runCommand } from './measure.ts';
import { slowLink } from './slow-link.ts';
import { freshDisk } from './state.ts';

const BYTES_PER_SECOND = 50_000_000;

/** What `--only` is held against, and the row's title. */
export const LINK_SCENARIO = 'pull by a link of 50 MB/s';

/**
 * A pull beside its parts, each by itself and on a fresh disk: what it takes, against the longer one of fetching and
 * unpacking. Gives a line for the report; the aim is 1.1.
 */
export async function linkScenario(
  image: string,
  { work, registry, rounds }: { readonly work: string; readonly registry: string; readonly rounds: number },
): Promise<string> {
  await using link = await slowLink(registry, BYTES_PER_SECOND);
  const name = `${link.host}/library/${image}`;
  const seconds = { fetch: [] as number[], unpack: [] as number[], pull: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    for (const parts of [['fetch', 'unpack'], ['pull']] as const) {
      using disk = freshDisk(work, 'disk-link');
      for (const part of parts) seconds[part].push(await timePart(part, disk.folder, name));
    }
  }
  const { fetch, unpack, pull } = {
    fetch: median(seconds.fetch),
    unpack: median(seconds.unpack),
    pull: median(seconds.pull),
  };
  const shown = [fetch, unpack, pull].map((value) => value.toFixed(2));
  const ratio = (pull / Math.max(fetch, unpack)).toFixed(2);
  return `${LINK_SCENARIO}: fetch ${shown[0]} s, unpack ${shown[1]} s, pull ${shown[2]} s: ${ratio} × the longer part (aim 1.1)`;
}

async function timePart(part: string, folder: string, name: string): Promise<number> {
  await runCommand({ program: 'sync', args: [], env: process.env });
  const script = join(import.meta.dirname, 'pull-part.ts');
  const out = await runCommand({
    program: process.execPath,
    args: [script, part, folder, name],
    env: process.env,
  });
  return Number(out);
}
