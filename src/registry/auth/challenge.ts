/** One challenge of a `WWW-Authenticate` header: the scheme in lower case, parameter names too. */
export interface AuthChallenge {
  readonly scheme: string;
  readonly params: Readonly<Record<string, string>>;
}

const TOKEN = String.raw`[!#$%&'*+.^_\`|~0-9A-Za-z-]+`;
const PARAM = new RegExp(`\\s*(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]*))`, 'y');
const SCHEME = new RegExp(`[\\s,]*(${TOKEN})(?:\\s+|$|(?=,))`, 'y');
const COMMA = /\s*,\s*/y;

/**
 * RFC 9110 section 11.6.1: reads all challenges of a header's value, several of which may be joined by commas. What
 * cannot be read ends the list; nothing is thrown.
 */
export function parseChallenges(header: string): AuthChallenge[] {
  const challenges: AuthChallenge[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(header);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  for (let scheme = match(SCHEME); scheme !== null && at <= header.length; scheme = match(SCHEME)) {
    const params = new Map<string, string>();
    for (let param = match(PARAM); param !== null; param = match(PARAM)) {
      params.set(param[1]!.toLowerCase(), param[2]?.replace(/\\(.)/g, '$1') ?? param[3] ?? '');
      const before = at;
      // A comma goes before the next parameter and before the next challenge.
      if (match(COMMA) !== null && !isParam(header, at)) at = before;
    }
    challenges.push({ scheme: scheme[1]!.toLowerCase(), params: Object.fromEntries(params) });
  }
  return challenges;
}

function isParam(header: string, at: number): boolean {
  PARAM.lastIndex = at;
  return PARAM.test(header);
}
