import { choice, list, platformFlag, progressFlag, text, toggle } from './flags.ts';
import { missingFlags } from './missing-flags.ts';

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

/** Docker's flags of `build` that are not there yet. */
export const missingBuildFlags = missingFlags({
  lists: [
    ...['allow', 'annotation', 'attest', 'build-context', 'cache-from', 'cache-to', 'no-cache-filter'],
    ...['security-opt', 'ssh'],
  ],
  texts: [
    ...['builder', 'call', 'cgroup-parent', 'cpu-period', 'cpu-quota', 'cpu-shares', 'cpuset-cpus'],
    ...['cpuset-mems', 'isolation', 'memory', 'memory-swap', 'output', 'policy', 'provenance', 'sbom'],
  ],
  toggles: ['check', 'compress', 'force-rm', 'load', 'rm', 'squash'],
  short: { output: 'o', memory: 'm', 'cpu-shares': 'c' },
  harmless: {
    load: ['true'],
    rm: ['true'],
    'force-rm': ['true'],
    compress: ['true'],
    builder: ['default', ''],
    provenance: ['false'],
    sbom: ['false'],
    output: ['type=docker', 'type=image'],
    isolation: ['default', ''],
  },
});
