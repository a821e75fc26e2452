export interface ResourceLimit {
  /** Such as `RLIMIT_NOFILE`. */
  readonly type: string;
  readonly soft: number;
  readonly hard: number;
}

/** Reads `nofile=1024` or `nofile=1024:2048`; -1 is unlimited. Undefined where the text is no limit. */
export function parseUlimit(text: string): ResourceLimit | undefined {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (match === null) return undefined;
  const soft = Number(match[2]);
  return { type: `RLIMIT_${match[1]!.toUpperCase()}`, soft, hard: Number(match[3] ?? soft) };
}
