import { OcitsError } from '../errors.ts';
import { choice, list, platformFlag, progressFlag, text, toggle } from './flags.ts';

/** The flags of `build`, as Docker has them. */
export const buildFlags = {
  'add-host': list({ description: 'add a line to /etc/hosts of the steps: name:address' }),
  'build-arg': list({ description: 'value of an ARG: NAME=value, or NAME alone for the one it has here' }),
  file: text({ char: 'f', description: 'the Dockerfile; "-" reads it from standard input' }),
  iidfile: text({ description: "write the image's ID to a file" }),
  label: list({ description: 'set a label of the image: name=value' }),
  'metadata-file': text({ description: 'write what the build gave to a file, as JSON' }),
  network: choice({
    description: 'network of RUN steps: default, host or none',
    options: ['default', 'bridge', 'host', 'none'],
  }),
  'no-cache': toggle({ description: 'do every step anew' }),
  platform: platformFlag,
  progress: progressFlag,
  pull: toggle({ description: 'look for newer base images' }),
  push: toggle({ description: 'push the image under all its names' }),
  quiet: toggle({ char: 'q', description: "print the image's ID alone" }),
  secret: list({ description: 'a secret for RUN --mount=type=secret: id=NAME,src=FILE' }),
  'shm-size': text({ description: 'size of /dev/shm of RUN steps' }),
  tag: list({ char: 't', description: 'name of the image, with a tag' }),
  target: text({ description: 'the stage to build' }),
  ulimit: list({ description: 'limit of RUN steps: name=soft[:hard]' }),
};

/** What these flags of Docker's say is so anyway, or makes no difference here. */
const HARMLESS: Readonly<Record<string, readonly string[]>> = {
  load: ['true', 'false'],
  rm: ['true', 'false'],
  'force-rm': ['true', 'false'],
  compress: ['true', 'false'],
  builder: ['default', ''],
  provenance: ['false'],
  sbom: ['false'],
  output: ['type=docker', 'type=image'],
  isolation: ['default', ''],
};

const MISSING_LISTS = [
  ...['allow', 'annotation', 'attest', 'build-context', 'cache-from', 'cache-to', 'no-cache-filter'],
  ...['security-opt', 'ssh'],
];
const MISSING_TEXTS = [
  ...['builder', 'call', 'cgroup-parent', 'cpu-period', 'cpu-quota', 'cpu-shares', 'cpuset-cpus'],
  ...['cpuset-mems', 'isolation', 'memory', 'memory-swap', 'output', 'policy', 'provenance', 'sbom'],
];
const MISSING_TOGGLES = ['check', 'compress', 'force-rm', 'load', 'rm', 'squash'];
const SHORT: Readonly<Record<string, 'o' | 'm' | 'c'>> = { output: 'o', memory: 'm', 'cpu-shares': 'c' };

/** Hidden definitions of the flags that are not there yet; `refuseMissingBuildFlags` looks at them. */
export const missingBuildFlags: Readonly<
  Record<string, ReturnType<typeof list | typeof text | typeof toggle>>
> = Object.fromEntries([
  ...MISSING_LISTS.map((name) => [name, list({ description: 'not there yet', hidden: true })] as const),
  ...MISSING_TEXTS.map((name) => {
    const char = SHORT[name];
    const short = char === undefined ? {} : { char };
    return [name, text({ description: 'not there yet', hidden: true, ...short })] as const;
  }),
  ...MISSING_TOGGLES.map((name) => [name, toggle({ description: 'not there yet', hidden: true })] as const),
]);

/** Throws `unsupported` for the first flag that is given and not there yet, naming it. */
export function refuseMissingBuildFlags(flags: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(missingBuildFlags)) {
    const value = flags[name];
    if (value === undefined || value === false || HARMLESS[name]?.includes(String(value))) continue;
    const shown = value === true ? `--${name}` : `--${name} ${String(value)}`;
    throw new OcitsError('unsupported', `build ${shown} is not there yet`, { hint: 'leave it out' });
  }
}
