import { changeConfig } from '../../builder/plan/config-change.ts';
import { expandInstruction } from '../../dockerfile/expand/expand-instruction.ts';
import { parseTrigger } from '../../dockerfile/parse/parse.ts';
import { OcitsError } from '../../errors.ts';
import type { RunConfig } from '../../oci/image-config.ts';
import { splitPair } from '../../options/pair.ts';

const ALLOWED = [
  'CMD',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'HEALTHCHECK',
  'LABEL',
  'ONBUILD',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
];

/**
 * What `--change` makes of an image's configuration: Dockerfile instructions that change nothing else. Throws
 * `syntax` where one cannot be read, `invalid-argument` for others.
 */
export function configFromChanges(changes: readonly string[], base: RunConfig = {}): RunConfig {
  let state = { config: base, hasOwnCmd: false };
  for (const change of changes) {
    const [keyword = ''] = change.trim().split(/\s/, 1);
    if (!ALLOWED.includes(keyword.toUpperCase())) {
      throw new OcitsError('invalid-argument', `${JSON.stringify(keyword)} is not a valid change command`, {
        hint: `there are: ${ALLOWED.join(', ')}`,
      });
    }
    state = applyChange(state, change);
  }
  return state.config;
}

type State = { readonly config: RunConfig; readonly hasOwnCmd: boolean };

function applyChange(state: State, change: string): State {
  const trigger = /^\s*ONBUILD\s+(.*)$/is.exec(change)?.[1];
  if (trigger !== undefined) {
    parseTrigger(trigger, '--change');
    return { ...state, config: { ...state.config, OnBuild: [...(state.config.OnBuild ?? []), trigger] } };
  }
  const file = '--change';
  const variables = (state.config.Env ?? []).map((variable) => {
    const [name, value = ''] = splitPair(variable);
    return [name, value] as const;
  });
  const env = new Map(variables);
  const instruction = expandInstruction(parseTrigger(change, file), { file, escapeChar: '\\', env });
  return changeConfig(state, instruction, file).state;
}
