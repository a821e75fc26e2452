import { listOf, mapOf, pointerTo, struct } from './shape.ts';

const PLATFORM = struct(
  {
    architecture: 'string',
    os: 'string',
    'os.version?': 'string',
    'os.features?': listOf('string'),
    'variant?': 'string',
  },
  {
    Architecture: 'architecture',
    OS: 'os',
    OSVersion: 'os.version',
    OSFeatures: 'os.features',
    Variant: 'variant',
  },
);

/** image-spec descriptor.md: the names in JSON are small. */
export const DESCRIPTOR = struct(
  {
    mediaType: 'string',
    digest: 'string',
    size: 'number',
    'urls?': listOf('string'),
    'annotations?': mapOf('string'),
    'data?': 'string',
    'platform?': pointerTo(PLATFORM),
    'artifactType?': 'string',
  },
  {
    MediaType: 'mediaType',
    Digest: 'digest',
    Size: 'size',
    URLs: 'urls',
    Annotations: 'annotations',
    Data: 'data',
    Platform: 'platform',
    ArtifactType: 'artifactType',
  },
);

/** `HealthConfig` of the Engine API. Durations are nanoseconds. */
const HEALTH_CONFIG = struct({
  'Test?': listOf('string'),
  'Interval?': 'number',
  'Timeout?': 'number',
  'StartPeriod?': 'number',
  'StartInterval?': 'number',
  'Retries?': 'number',
});

/** `GraphDriver` of images and containers. */
export const DRIVER_DATA = struct({ Data: mapOf('string'), Name: 'string' });

/** What the configurations of images and containers have alike, before the image's name. */
export const COMMAND_FIELDS = {
  Env: listOf('string'),
  Cmd: listOf('string'),
  'Healthcheck?': pointerTo(HEALTH_CONFIG),
  'ArgsEscaped?': 'boolean',
} as const;

/** The same, after the image's name. */
export const PLACE_FIELDS = {
  Volumes: mapOf(struct({})),
  WorkingDir: 'string',
  Entrypoint: listOf('string'),
  'NetworkDisabled?': 'boolean',
  'MacAddress?': 'string',
  OnBuild: listOf('string'),
  Labels: mapOf('string'),
  'StopSignal?': 'string',
  'StopTimeout?': pointerTo('number'),
  'Shell?': listOf('string'),
} as const;

/** `ImageConfig` of the Engine API, with the fields of a container's that images had until v1.49. */
const IMAGE_CONFIG = struct({
  'Hostname?': 'string',
  'Domainname?': 'string',
  User: 'string',
  'AttachStdin?': 'boolean',
  'AttachStdout?': 'boolean',
  'AttachStderr?': 'boolean',
  'ExposedPorts?': mapOf(struct({})),
  'Tty?': 'boolean',
  'OpenStdin?': 'boolean',
  'StdinOnce?': 'boolean',
  ...COMMAND_FIELDS,
  'Image?': 'string',
  ...PLACE_FIELDS,
});

/** `ImageInspect` of the Engine API. */
export const IMAGE = struct(
  {
    Id: 'string',
    RepoTags: listOf('string'),
    RepoDigests: listOf('string'),
    Parent: 'string',
    Comment: 'string',
    'Created?': 'string',
    'Container?': 'string',
    'ContainerConfig?': pointerTo(IMAGE_CONFIG),
    DockerVersion: 'string',
    Author: 'string',
    Config: pointerTo(IMAGE_CONFIG),
    Architecture: 'string',
    'Variant?': 'string',
    Os: 'string',
    'OsVersion?': 'string',
    Size: 'number',
    'VirtualSize?': 'number',
    GraphDriver: DRIVER_DATA,
    RootFS: struct({ 'Type?': 'string', 'Layers?': listOf('string') }),
    Metadata: struct({ LastTagTime: 'time' }),
    'Descriptor?': pointerTo(DESCRIPTOR),
    'Manifests?': listOf('any'),
    'Identity?': pointerTo('any'),
  },
  { ID: 'Id' },
);
