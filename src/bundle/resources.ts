import { OcitsError } from '../errors.ts';
import type { ResourceLimits } from './container-spec.ts';
import type { HostFacts } from './host-facts.ts';
import type { RuntimeResources } from './runtime-spec.ts';

const CPU_PERIOD_US = 100_000;
const LEAST_QUOTA_US = 1000;
/** The least that Docker takes: the kernel cannot start a process in less. */
const LEAST_MEMORY_BYTES = 6 * 1024 * 1024;

/**
 * runtime-spec config-linux.md#control-groups, without the devices. As in Docker, memory and swap together are twice
 * the memory where only that is limited, -1 leaves swap unlimited, 0 is no limit of anything, and a process limit below 0
 * is none either.
 * Throws `invalid-argument` naming Docker's option.
 */
export function resourceLimits(limits: ResourceLimits, host: HostFacts): Omit<RuntimeResources, 'devices'> {
  const memory = memoryLimits(limits, host);
  const cpu = cpuLimits(limits, host);
  const pids =
    limits.pidsLimit !== undefined && limits.pidsLimit > 0 ? { limit: limits.pidsLimit } : undefined;
  return { memory, cpu, pids };
}

function memoryLimits(limits: ResourceLimits, host: HostFacts): RuntimeResources['memory'] {
  const { memorySwapBytes } = limits;
  const limit = limits.memoryBytes || undefined;
  const reservation = limits.memoryReservationBytes || undefined;
  if (limit !== undefined && limit < LEAST_MEMORY_BYTES) {
    throw new OcitsError('invalid-argument', `--memory ${limit}: the least that is allowed is 6m`);
  }
  if (reservation !== undefined && reservation < LEAST_MEMORY_BYTES) {
    throw new OcitsError(
      'invalid-argument',
      `--memory-reservation ${reservation}: the least that is allowed is 6m`,
    );
  }
  if (memorySwapBytes !== undefined && memorySwapBytes > 0 && limit === undefined) {
    throw new OcitsError('invalid-argument', '--memory-swap needs --memory');
  }
  if (
    limit !== undefined &&
    memorySwapBytes !== undefined &&
    memorySwapBytes > 0 &&
    memorySwapBytes < limit
  ) {
    throw new OcitsError(
      'invalid-argument',
      '--memory-swap is memory and swap together: it must not be below --memory',
    );
  }
  if (limit !== undefined && reservation !== undefined && reservation > limit) {
    throw new OcitsError('invalid-argument', '--memory-reservation must not be above --memory');
  }
  if (limit === undefined && reservation === undefined) return undefined;
  const swap = limit === undefined || !host.countsSwap ? undefined : memorySwapBytes || 2 * limit;
  return {
    limit,
    swap,
    reservation,
  };
}

function cpuLimits(limits: ResourceLimits, { processors }: HostFacts): RuntimeResources['cpu'] {
  const { cpus, cpuShares, cpusetCpus, cpusetMems } = limits;
  const hasQuota = cpus !== undefined && cpus !== 0;
  const quota = hasQuota ? Math.round(cpus * CPU_PERIOD_US) : undefined;
  if (quota !== undefined && !(quota >= LEAST_QUOTA_US)) {
    throw new OcitsError('invalid-argument', `--cpus ${cpus}: the least that is allowed is 0.01`);
  }
  if (hasQuota && processors !== undefined && cpus > processors) {
    throw new OcitsError('invalid-argument', `--cpus ${cpus}: this host has ${processors}`);
  }
  if (cpuShares !== undefined && cpuShares < 0) {
    throw new OcitsError('invalid-argument', `--cpu-shares ${cpuShares}: the least that is allowed is 0`);
  }
  if (quota === undefined && !cpuShares && !cpusetCpus && !cpusetMems) return undefined;
  return {
    quota,
    period: quota === undefined ? undefined : CPU_PERIOD_US,
    shares: cpuShares || undefined,
    cpus: cpusetCpus || undefined,
    mems: cpusetMems || undefined,
  };
}
