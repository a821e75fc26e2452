import { readImageName } from '../../image/catalog/image-name.ts';
import { networkChoice } from '../../network/choice.ts';
import { fieldsOf, readFlags } from '../../options/flag-table.ts';
import type { Surroundings } from '../../options/value-kind.ts';
import {
  CREATE_FLAGS,
  type CreateFlags,
  type CreateValues,
  NETWORK_FLAGS,
  PROCESS_FLAGS,
  RESOURCE_FLAGS,
  SECURITY_FLAGS,
} from './create-flags.ts';
import type { CreateRequest, IsolationOptions, NetworkOptions, ProcessRequest } from './create-request.ts';

/**
 * What `create` and `run` are asked for, from the texts of their flags, the image and the command behind it. Throws
 * `invalid-argument`, `syntax` or `unsupported`, naming the flag and quoting the fault, and `invalid-reference`.
 */
export function parseCreateFlags(
  flags: CreateFlags,
  args: readonly [string, ...string[]],
  surroundings: Surroundings,
): CreateRequest {
  return createRequest(readFlags(CREATE_FLAGS, flags, surroundings), args);
}

/** The same from the flags' values. */
export function createRequest(
  values: CreateValues,
  [image, ...command]: readonly [string, ...string[]],
): CreateRequest {
  const { name, platform, label = [], annotation = [], volume = [], mount = [], tmpfs = [] } = values;
  return {
    image: readImageName(image),
    platform,
    name,
    labels: Object.fromEntries([...(values['label-file'] ?? []).flat(), ...label]),
    annotations: Object.fromEntries(annotation),
    process: processRequest(values, command),
    network: networkOptions(values),
    mounts: [...volume, ...mount, ...tmpfs],
    isolation: isolationOptions(values),
    autoRemove: values.rm,
  };
}

function processRequest(values: CreateValues, command: readonly string[]): ProcessRequest {
  const { env, 'env-file': files, ...fields } = fieldsOf(PROCESS_FLAGS, values);
  return { ...fields, command, env: [...files.flat(), ...env] };
}

function networkOptions(values: CreateValues): NetworkOptions {
  const { choice = networkChoice(), hostname, publishAll, ...lists } = fieldsOf(NETWORK_FLAGS, values);
  return {
    ...choice,
    hostname,
    ports: lists.publish.flat(),
    exposed: lists.expose.flat(),
    publishAll,
    dns: { servers: lists.dns, search: lists['dns-search'], options: lists['dns-option'] },
    extraHosts: lists['add-host'],
  };
}

function isolationOptions(values: CreateValues): IsolationOptions {
  const { device = [], sysctl = [], init, 'security-opt': changes = [] } = values;
  const defaults = { noNewPrivileges: false, seccomp: 'default' };
  const changed: typeof defaults = Object.assign(defaults, ...changes);
  return {
    resources: fieldsOf(RESOURCE_FLAGS, values),
    devices: device,
    security: { ...fieldsOf(SECURITY_FLAGS, values), ...changed },
    sysctls: Object.fromEntries(sysctl),
    init,
  };
}
