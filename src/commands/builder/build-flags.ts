import { parseTag } from '../../image/catalog/tag-image.ts';
import { BUILD_NETWORKS } from '../../network/choice.ts';
import { parseAddHost } from '../../network/names/hosts-file.ts';
import type { FlagTable, FlagValues } from '../../options/flag-table.ts';
import { byteSize, PLATFORM_VARIABLE, pair, platform, spoken, ulimit } from '../../options/kinds.ts';
import { splitPair } from '../../options/pair.ts';
import type { ValueKind } from '../../options/value-kind.ts';
import { parseSecret } from './secret-flag.ts';

/** The value is undefined where neither the text nor our environment has one. */
const buildArgument: ValueKind<readonly [name: string, value: string | undefined]> = {
  parse: (text, { env }) => {
    const [name, value = env[name]] = splitPair(text);
    return name === '' ? undefined : [name, value];
  },
  fault: 'has no name',
};

/** The flags of `build` that make its request, as Docker has them. */
export const BUILD_FLAGS = {
  'add-host': {
    form: 'many',
    kind: spoken((text) => parseAddHost(text)),
    description: 'add a line to /etc/hosts of the steps: name:address',
  },
  'build-arg': {
    form: 'many',
    kind: buildArgument,
    description: 'value of an ARG: NAME=value, or NAME alone for the one it has here',
  },
  file: {
    form: 'one',
    char: 'f',
    names: ['files'],
    description: 'the Dockerfile; "-" reads it from standard input',
  },
  label: { form: 'many', kind: pair, description: 'set a label of the image: name=value' },
  network: {
    form: 'one',
    choices: BUILD_NETWORKS,
    description: 'network of RUN steps: default, host or none',
  },
  'no-cache': { form: 'switch', description: 'do every step anew' },
  platform: {
    form: 'one',
    onlyOnce: 'a build is for one platform for now',
    mayBeEmpty: true,
    environment: PLATFORM_VARIABLE,
    kind: platform,
    description: 'platform in os/arch[/variant] form, such as linux/arm64',
  },
  pull: { form: 'switch', description: 'look for newer base images' },
  secret: {
    form: 'many',
    kind: spoken((text, { env }) => parseSecret(text, env)),
    description: 'a secret for RUN --mount=type=secret: id=NAME,src=FILE',
  },
  'shm-size': { form: 'one', kind: byteSize, description: 'size of /dev/shm of RUN steps' },
  tag: {
    form: 'many',
    char: 't',
    kind: spoken((text) => parseTag(text)),
    description: 'name of the image, with a tag',
  },
  target: { form: 'one', description: 'the stage to build' },
  ulimit: { form: 'many', kind: ulimit, description: 'limit of RUN steps: name=soft[:hard]' },
} as const satisfies FlagTable;

/** Their values. */
export type BuildFlagValues = FlagValues<typeof BUILD_FLAGS>;

const LIMITS = 'limit ocits itself, such as with: systemd-run --scope -p MemoryMax=2G ocits build';
const ATTESTATION = 'leave it out, and let a tool of its own make it once the image is pushed';
const CACHE = 'leave it out: the build cache of this host is used';
const ALWAYS_SO = 'leave it out';

/** Docker's flags of `build` that are not there yet, with what to do instead. */
export const MISSING_BUILD_FLAGS = {
  allow: { form: 'many', missing: 'leave it out: steps get no rights besides' },
  annotation: { form: 'many', missing: 'set a label with --label' },
  attest: { form: 'many', missing: ATTESTATION },
  'build-context': {
    form: 'many',
    missing: 'name the image in COPY --from, or copy the folder into the context',
  },
  builder: { form: 'one', missing: 'leave it out: there is one builder', harmless: ['default', ''] },
  'cache-from': { form: 'many', missing: CACHE },
  'cache-to': { form: 'many', missing: CACHE },
  call: { form: 'one', missing: 'leave it out: a build begins with the checks of its Dockerfile' },
  'cgroup-parent': { form: 'one', missing: LIMITS },
  check: { form: 'switch', missing: 'leave it out: a build begins with the checks of its Dockerfile' },
  compress: { form: 'switch', missing: ALWAYS_SO, harmless: ['true'] },
  'cpu-period': { form: 'one', missing: LIMITS },
  'cpu-quota': { form: 'one', missing: LIMITS },
  'cpu-shares': { form: 'one', char: 'c', missing: LIMITS },
  'cpuset-cpus': { form: 'one', missing: LIMITS },
  'cpuset-mems': { form: 'one', missing: LIMITS },
  'force-rm': { form: 'switch', missing: ALWAYS_SO, harmless: ['true'] },
  isolation: { form: 'one', missing: 'leave it out: it is for Windows', harmless: ['default', ''] },
  load: { form: 'switch', missing: ALWAYS_SO, harmless: ['true'] },
  memory: { form: 'one', char: 'm', missing: LIMITS },
  'memory-swap': { form: 'one', missing: LIMITS },
  'no-cache-filter': { form: 'many', missing: 'use --no-cache' },
  output: {
    form: 'one',
    char: 'o',
    missing: 'write the image with: ocits save',
    harmless: ['type=docker', 'type=image'],
  },
  policy: { form: 'one', missing: ALWAYS_SO },
  provenance: { form: 'one', missing: ATTESTATION, harmless: ['false'] },
  rm: { form: 'switch', missing: ALWAYS_SO, harmless: ['true'] },
  sbom: { form: 'one', missing: ATTESTATION, harmless: ['false'] },
  'security-opt': { form: 'many', missing: ALWAYS_SO },
  squash: { form: 'switch', missing: 'copy the result into a last stage with COPY --from' },
  ssh: { form: 'many', missing: 'give the key with --secret' },
} as const satisfies FlagTable;
