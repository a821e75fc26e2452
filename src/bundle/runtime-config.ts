/**
 * The room of `config.json`: from a container's spec and the facts of the host to what the runtime reads, by the
 * rules of Docker and of runtime-spec. `runtime` writes bundles by it; `container` and builds settle users, arguments
 * and mounts by it. It is pure: the facts are handed in, and the same input gives the same file.
 *
 *     const config = runtimeConfig(spec, hostFacts(spec));
 *     await writeFile(join(bundle, 'config.json'), serializeConfig(config));
 */

import { OcitsError } from '../errors.ts';
import { containerCapabilities, processCapabilities } from './capabilities.ts';
import type { ContainerSpec, ProcessSpec } from './container-spec.ts';
import { defaultSeccomp } from './default-seccomp.ts';
import { containerDevices } from './devices.ts';
import { MASKED_PATHS, READONLY_PATHS } from './guarded-paths.ts';
import type { HostFacts } from './host-facts.ts';
import { containerMounts, INIT_TARGET } from './mounts.ts';
import { checkProcess } from './process-bounds.ts';
import { resourceLimits } from './resources.ts';
import { clampLimits } from './rlimits.ts';
import type {
  RuntimeLinux,
  RuntimeNamespace,
  RuntimeProcess,
  RuntimeSeccomp,
  RuntimeSpec,
} from './runtime-spec.ts';
import { resolveSeccomp } from './seccomp.ts';

const SPEC_VERSION = '1.0.2';

/**
 * runtime-spec config.md: the `config.json` of a container. Pure: the same spec and host facts give the same result.
 * Throws `invalid-argument`, `permission`, `not-found` or `unsupported` for what the spec asks and cannot have.
 */
export function runtimeConfig(spec: ContainerSpec, host: HostFacts): RuntimeSpec {
  checkAnnotations(spec.annotations);
  return {
    ociVersion: SPEC_VERSION,
    root: { path: spec.rootfs, readonly: spec.security.readOnlyRootfs },
    hostname: spec.hostname,
    process: mainProcess(spec, host),
    mounts: containerMounts(spec, host),
    annotations: Object.keys(spec.annotations).length === 0 ? undefined : spec.annotations,
    linux: linuxPart(spec, host),
  };
}

/** Annotations of the runtime's own choose a handler or replace the seccomp filter: no image or user may give one. */
function checkAnnotations(annotations: Readonly<Record<string, string>>): void {
  const name = Object.keys(annotations).find((key) => key.startsWith('run.oci.'));
  if (name === undefined) return;
  throw new OcitsError('invalid-argument', `the annotation ${JSON.stringify(name)} is the runtime's own`, {
    hint: 'names that begin with run.oci. cannot be used',
  });
}

/**
 * The `process` object for another process in the container of `spec`: `exec`. It gets the container's capabilities
 * and limits, and neither its init nor its out-of-memory score.
 */
export function execConfig(
  spec: Pick<ContainerSpec, 'security'>,
  process: ProcessSpec,
  host: HostFacts,
): RuntimeProcess {
  checkProcess(process);
  const capabilities = containerCapabilities(spec.security, host.capabilities);
  const rlimits = clampLimits(process.rlimits, host);
  const { consoleSize, additionalGids } = process;
  return {
    terminal: process.terminal,
    consoleSize:
      process.terminal && consoleSize !== undefined
        ? { height: consoleSize.rows, width: consoleSize.columns }
        : undefined,
    user: {
      uid: process.uid,
      gid: process.gid,
      additionalGids: additionalGids.length === 0 ? undefined : additionalGids,
    },
    args: process.args,
    env: process.env,
    cwd: process.cwd,
    capabilities: processCapabilities(capabilities, process.uid),
    rlimits: rlimits.length === 0 ? undefined : rlimits,
    noNewPrivileges: spec.security.noNewPrivileges,
  };
}

function mainProcess(spec: ContainerSpec, host: HostFacts): RuntimeProcess {
  const process = execConfig(spec, spec.process, host);
  const { oomScoreAdj } = spec.resources;
  return {
    ...process,
    args: spec.init === undefined ? process.args : [INIT_TARGET, '--', ...process.args],
    oomScoreAdj,
  };
}

function linuxPart(spec: ContainerSpec, host: HostFacts): RuntimeLinux {
  const { privileged } = spec.security;
  const devices = containerDevices(spec, host);
  const sysctl = sysctls(spec);
  const isSlave = spec.mounts.some((mount) => mount.kind === 'bind' && mount.propagation?.endsWith('slave'));
  return {
    namespaces: namespaces(spec),
    cgroupsPath: spec.cgroupsPath,
    resources: { devices: devices.rules, ...resourceLimits(spec.resources, host) },
    devices: devices.nodes.length === 0 ? undefined : devices.nodes,
    sysctl: Object.keys(sysctl).length === 0 ? undefined : sysctl,
    seccomp: seccompFilter(spec, host),
    maskedPaths: privileged ? undefined : [...MASKED_PATHS, ...host.thermalFolders],
    readonlyPaths: privileged ? undefined : READONLY_PATHS,
    // Not for all mounts below: the launcher has made every mount a slave already.
    rootfsPropagation: isSlave ? 'slave' : undefined,
  };
}

/** Undefined: the container is unconfined. */
function seccompFilter({ security }: ContainerSpec, host: HostFacts): RuntimeSeccomp | undefined {
  if (security.privileged || security.seccomp === 'unconfined') return undefined;
  const { architecture, kernelRelease, seccompProfile } = host;
  const capabilities = containerCapabilities(security, host.capabilities);
  const target = { architecture, capabilities, kernelRelease };
  return seccompProfile === undefined ? defaultSeccomp(target) : resolveSeccomp(seccompProfile, target);
}

function namespaces({ networkNamespace: network }: ContainerSpec): readonly RuntimeNamespace[] {
  const own: RuntimeNamespace[] = [
    { type: 'pid' },
    { type: 'mount' },
    { type: 'uts' },
    { type: 'ipc' },
    { type: 'cgroup' },
  ];
  if (network === 'new') own.push({ type: 'network' });
  if (typeof network === 'object') own.push({ type: 'network', path: network.path });
  return own;
}

/** Docker's two defaults let any user ping and listen on low ports inside its own network; then the user's. */
function sysctls(spec: ContainerSpec): Readonly<Record<string, string>> {
  const { networkNamespace, security, sysctls: asked } = spec;
  if (networkNamespace === 'inherited') {
    const name = Object.keys(asked).find((key) => key.startsWith('net.'));
    if (name !== undefined) {
      throw new OcitsError('invalid-argument', `--sysctl ${name} cannot be set in the network of the host`);
    }
  }
  if (networkNamespace === 'inherited' || security.privileged) return asked;
  return {
    'net.ipv4.ip_unprivileged_port_start': '0',
    'net.ipv4.ping_group_range': '0 2147483647',
    ...asked,
  };
}
