import { OcitsError } from '../errors.ts';
import type { HostFacts } from './host-facts.ts';
import type { RuntimeLimit } from './runtime-spec.ts';

const NAMES: ReadonlySet<string> = new Set(
  [
    'AS',
    'CORE',
    'CPU',
    'DATA',
    'FSIZE',
    'LOCKS',
    'MEMLOCK',
    'MSGQUEUE',
    'NICE',
    'NOFILE',
    'NPROC',
    'RSS',
    'RTPRIO',
    'RTTIME',
    'SIGPENDING',
    'STACK',
  ].map((name) => `RLIMIT_${name}`),
);

/**
 * The limits that can be set: without CAP_SYS_RESOURCE a hard limit above our own would fail the start, so it is cut
 * to ours. Below 0 is unlimited, and comes out as Infinity. Throws `invalid-argument` for an unknown name, a soft
 * limit above the hard one, and the same limit twice.
 */
export function clampLimits(limits: readonly RuntimeLimit[], host: HostFacts): readonly RuntimeLimit[] {
  const seen = new Set<string>();
  return limits.map(({ type, soft, hard }) => {
    const option = type.replace(/^RLIMIT_/, '').toLowerCase();
    if (!NAMES.has(type))
      throw new OcitsError('invalid-argument', `--ulimit ${option}: there is no such limit`);
    if (seen.has(type)) throw new OcitsError('invalid-argument', `--ulimit ${option} is given twice`);
    seen.add(type);
    if (number(soft) > number(hard)) {
      throw new OcitsError(
        'invalid-argument',
        `--ulimit ${option}: the soft limit ${soft} is above the hard one, ${hard}`,
      );
    }
    const most = host.canRaiseLimits
      ? Number.POSITIVE_INFINITY
      : (host.hardLimits[type] ?? Number.POSITIVE_INFINITY);
    return { type, soft: Math.min(number(soft), most), hard: Math.min(number(hard), most) };
  });
}

function number(limit: number): number {
  return limit < 0 ? Number.POSITIVE_INFINITY : limit;
}
