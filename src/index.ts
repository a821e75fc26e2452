/**
 * ocits as a library: what the commands do, as functions. Each takes an AbortSignal, and a sink for the events that
 * tell how it gets on; each fails with an OcitsError, to be told apart by its `code`.
 */
export type { CreateFlags } from './container/flags/create-flags.ts';
export type { Engine } from './engine.ts';
export type { ErrorCode, ErrorDetails, SourceLocation } from './errors.ts';
export { isOcitsError, OcitsError } from './errors.ts';
export type { Removal } from './image/garbage/remove-image.ts';
export type { BuildOptions, BuiltImage } from './library/build-image.ts';
export { build } from './library/build-image.ts';
export type { ForegroundRunOptions, ListedContainer, RunOptions } from './library/containers.ts';
export {
  containers,
  removeNamedContainer as removeContainer,
  run,
  runDetached,
  stopNamedContainer as stopContainer,
} from './library/containers.ts';
export type {
  ListedImage,
  LoadedImage,
  PulledImage,
  PullOptions,
  PushedImage,
  PushOptions,
  SaveOptions,
} from './library/images.ts';
export { images, load, pull, push, removeNamedImage as removeImage, save, tag } from './library/images.ts';
export type { CallOptions } from './library/with-call.ts';
export type { Digest } from './oci/digest.ts';
export type { EngineOptions } from './open-engine.ts';
export { openEngine } from './open-engine.ts';
export type { ProgressEvent, ProgressSink } from './progress.ts';
export type { HostPaths } from './system/paths.ts';
