import { type Digest, isDigest } from './digest.ts';
import type { HistoryEntry, ImageConfig, RunConfig } from './image-config.ts';
import { type JsonFields, readJson } from './json-fields.ts';

/** Real configs have some 10 KiB; the limit is that of a manifest, doubled. */
export const CONFIG_LIMIT_BYTES = 8 * 1024 * 1024;
const HISTORY_LIMIT = 10_000;

/**
 * image-spec config.md: reads an image's configuration, hostile input, and keeps the fields that are known.
 * Throws `hostile` for a field of a wrong type, text with a NUL, or a config over 8 MiB.
 */
export function parseImageConfig(content: Uint8Array): ImageConfig {
  return readJson(content, { what: 'the image config', limitBytes: CONFIG_LIMIT_BYTES }, readConfig);
}

function readConfig(fields: JsonFields): ImageConfig {
  const history = fields.optionalList('history', 'history entry', readHistoryEntry);
  if (history !== undefined && history.length > HISTORY_LIMIT) {
    throw fields.fault('history', `has more than ${HISTORY_LIMIT} entries`);
  }
  return {
    created: fields.optionalText('created'),
    author: fields.optionalText('author'),
    variant: fields.optionalText('variant'),
    'os.version': fields.optionalText('os.version'),
    architecture: fields.text('architecture'),
    os: fields.text('os'),
    config: fields.optional('config', readRunConfig),
    rootfs: fields.object('rootfs', readRootfs),
    history,
  };
}

function readRootfs(fields: JsonFields): ImageConfig['rootfs'] {
  const diffIds = fields.value('diff_ids') ?? [];
  if (fields.value('type') !== 'layers') throw fields.fault('type', 'is not "layers"');
  if (!Array.isArray(diffIds) || !diffIds.every(isDigest)) {
    throw fields.fault('diff_ids', 'is not a list of digests');
  }
  return { type: 'layers', diff_ids: diffIds as Digest[] };
}

function readRunConfig(fields: JsonFields): RunConfig {
  return {
    User: fields.optionalText('User'),
    WorkingDir: fields.optionalText('WorkingDir'),
    StopSignal: fields.optionalText('StopSignal'),
    Env: fields.optionalTexts('Env'),
    Shell: fields.optionalTexts('Shell'),
    OnBuild: fields.optionalTexts('OnBuild'),
    Entrypoint: fields.optionalTexts('Entrypoint'),
    Cmd: fields.optionalTexts('Cmd'),
    ExposedPorts: fields.optionalKeys('ExposedPorts'),
    Volumes: fields.optionalKeys('Volumes'),
    Labels: fields.optionalTextMap('Labels'),
    Healthcheck: fields.optional('Healthcheck', (check) => check.all()),
    ArgsEscaped: fields.value('ArgsEscaped') === true ? true : undefined,
  };
}

function readHistoryEntry(fields: JsonFields): HistoryEntry {
  return {
    created: fields.optionalText('created'),
    created_by: fields.optionalText('created_by'),
    author: fields.optionalText('author'),
    comment: fields.optionalText('comment'),
    empty_layer: fields.value('empty_layer') === true ? true : undefined,
  };
}
