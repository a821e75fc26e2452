import { isOcitsError } from '../../errors.ts';
import { parseReference } from '../../oci/reference.ts';
import { predefinedArgs, resolveGlobalArgs } from '../expand/build-args.ts';
import { type Environment, expandText } from '../expand/expand-word.ts';
import type { DockerfileWarning, FromInstruction } from '../instruction.ts';
import type { Word } from '../source.ts';
import { didYouMean } from '../text/suggest.ts';
import type { CheckInput, Finding, Rule } from './rule.ts';

const SECRET = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const NO_SECRET = /(?:_|^)public(?:_|$)/i;

/** Rules about values: variables, secrets, ports. */
export const VALUE_RULES: Readonly<Record<string, Rule>> = {
  *SecretsUsedInArgOrEnv({ lines }) {
    for (const { instruction } of lines) {
      let names: readonly Word[] = [];
      if (instruction.kind === 'ENV') names = instruction.pairs.map(({ key }) => key);
      if (instruction.kind === 'ARG') names = instruction.args.map(({ name }) => name);
      for (const { text } of names) {
        if (!SECRET.test(text) || NO_SECRET.test(text)) continue;
        const message = `do not use ${instruction.kind} for secrets: ${text} stays in the image`;
        yield { range: instruction.range, message };
      }
    }
  },

  *ExposeProtoCasing({ lines }) {
    for (const { instruction } of lines) {
      if (instruction.kind !== 'EXPOSE') continue;
      for (const { text } of instruction.ports) {
        const protocol = /^[^$]*\/([a-z]+)$/i.exec(text)?.[1] ?? '';
        if (protocol === protocol.toLowerCase()) continue;
        yield { range: instruction.range, message: `the protocol of port '${text}' should be lowercase` };
      }
    }
  },

  *ExposeInvalidFormat({ lines }) {
    for (const { instruction } of lines) {
      if (instruction.kind !== 'EXPOSE') continue;
      for (const { text } of instruction.ports) {
        if (text.includes('$') || !text.includes(':')) continue;
        const message = `EXPOSE '${text}' should name no address and no port of the host`;
        yield { range: instruction.range, message };
      }
    }
  },

  *UndefinedArgInFrom(input) {
    const env = defaultArgs(input);
    if (env === undefined) return;
    for (const { from } of input.dockerfile.stages) {
      for (const word of fromWords(from)) {
        for (const name of expansion(input, word, env)?.missing ?? []) {
          if (declared(input).includes(name)) continue;
          const near = didYouMean(name, [...declared(input), ...env.keys()], '$');
          const message = `FROM argument '${name}' is not declared${near === undefined ? '' : ` (${near})`}`;
          yield { range: from.range, message };
        }
      }
    }
  },

  *InvalidDefaultArgInFrom(input) {
    const env = defaultArgs(input);
    if (env === undefined) return;
    for (const { from } of input.dockerfile.stages) {
      const name = from.base.text.includes('$') ? expansion(input, from.base, env)?.text : undefined;
      if (name === undefined || isReference(name)) continue;
      const message = `without build arguments, ${from.base.text} is no name of an image`;
      yield { range: from.range, message };
    }
  },

  *RedundantTargetPlatform({ dockerfile }) {
    for (const { from } of dockerfile.stages) {
      if (!/^\$(?:TARGETPLATFORM|\{TARGETPLATFORM\})$/.test(from.platform?.text ?? '')) continue;
      yield { range: from.range, message: `--platform=${from.platform!.text} is the default` };
    }
  },

  *FromPlatformFlagConstDisallowed({ dockerfile }): Generator<Finding> {
    for (const { from } of dockerfile.stages) {
      const platform = from.platform?.text;
      if (platform === undefined || platform.includes('$')) continue;
      const isNamedSo = platform.split('/').some((part) => part !== '' && from.name?.includes(part));
      if (!isNamedSo) yield { range: from.range, message: `--platform=${platform} is a fixed value` };
    }
  },
};

/** The warning for a variable that nothing sets; `known` are the names that are set there. */
export function undefinedVariable(name: string, word: Word, known: Iterable<string>): DockerfileWarning {
  const near = didYouMean(name, known, '$');
  const message = `variable '$${name}' is not set${near === undefined ? '' : ` (${near})`}`;
  return { rule: 'UndefinedVar', message, range: { start: word.at, end: word.at } };
}

function fromWords(from: FromInstruction): Word[] {
  return from.platform === undefined ? [from.base] : [from.base, from.platform];
}

/** What FROM lines see where no build argument is given; undefined where a default cannot be expanded. */
function defaultArgs({ dockerfile }: CheckInput): Environment | undefined {
  const platform = { os: 'linux', architecture: 'amd64' };
  const buildArgs = new Map<string, string>();
  const predefined = predefinedArgs({ buildPlatform: platform, targetPlatform: platform, buildArgs });
  return silently(() => resolveGlobalArgs(dockerfile, predefined, buildArgs));
}

function expansion({ dockerfile: { escapeChar } }: CheckInput, word: Word, env: Environment) {
  return silently(() => expandText(word.text, env, { escapeChar }));
}

/** The names of the global ARGs, with and without a value. */
function declared({ dockerfile }: CheckInput): string[] {
  return dockerfile.globalArgs.flatMap(({ args }) => args.map(({ name }) => name.text));
}

function isReference(name: string): boolean {
  return name === 'scratch' || silently(() => parseReference(name)) !== undefined;
}

/** A fault here is one that the build will tell better. */
function silently<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isOcitsError(error)) return undefined;
    throw error;
  }
}
