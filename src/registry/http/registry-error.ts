import { type ErrorCode, OcitsError } from '../../errors.ts';
import type { HttpResponse } from './response.ts';
import { PassingFailure, parseRetryAfter } from './retry.ts';

const ERROR_LIMIT_BYTES = 64 * 1024;
const QUOTE_LIMIT = 400;
const PASSING_STATUS = new Set([408, 429, 500, 502, 503, 504]);

export interface ErrorContext {
  /** What was being done, with the name of the thing: `pull host/repo:tag`. */
  readonly what: string;
  /** The registry's name, for hints. */
  readonly registry: string;
  /** Where the credentials that were sent came from; undefined where none were. */
  readonly credentialSource?: string | undefined;
}

/**
 * The error that an answer stands for, with what distribution-spec *Error Codes* says in its body. A PassingFailure
 * for 408, 429 and 5xx; else `unauthorized` (401), `denied` (403), `not-found` (404), `rate-limited` (429),
 * `network` (any other).
 */
export async function registryError(
  response: HttpResponse,
  context: ErrorContext,
): Promise<OcitsError | PassingFailure> {
  const { status } = response;
  const said = await readErrorBody(response);
  const code = errorCode(status);
  const message = `${context.what}: ${said === '' ? describeStatus(status) : said} (${response.url.host} answered ${status})`;
  const hint = hintFor(code, context);
  const error = new OcitsError(code, message, { hint });
  if (!PASSING_STATUS.has(status)) return error;
  return new PassingFailure(error, parseRetryAfter(response.header('retry-after')));
}

function errorCode(status: number): ErrorCode {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'denied';
  if (status === 404) return 'not-found';
  return status === 429 ? 'rate-limited' : 'network';
}

function hintFor(code: ErrorCode, { registry, credentialSource }: ErrorContext): string | undefined {
  const login = `ocits login${registry === 'docker.io' ? '' : ` ${registry}`}`;
  if (code === 'unauthorized' || code === 'denied') {
    return credentialSource === undefined
      ? `log in, where the repository is not public: ${login}`
      : `the account of ${credentialSource} may not do this; another one: ${login}`;
  }
  if (code === 'not-found') return 'check the name and the tag';
  return code === 'rate-limited'
    ? `try again later; who logs in may have a higher limit: ${login}`
    : undefined;
}

function describeStatus(status: number): string {
  const names: Readonly<Record<number, string>> = {
    401: 'authentication is required',
    403: 'access is denied',
    404: 'not found',
    429: 'too many requests',
  };
  return names[status] ?? (status >= 500 ? 'the registry has failed' : 'the registry refuses');
}

/** What the body says, in one line without control characters; empty where it says nothing readable. */
async function readErrorBody(response: HttpResponse): Promise<string> {
  let content: Buffer;
  try {
    content = await response.read(ERROR_LIMIT_BYTES);
  } catch {
    return '';
  }
  const type = response.header('content-type') ?? '';
  const text = content.toString('utf8').trim();
  const quoted = text.startsWith('{') ? quoteJson(text) : type.startsWith('text/plain') ? text : '';
  return printable(quoted).slice(0, QUOTE_LIMIT);
}

function quoteJson(text: string): string {
  try {
    const { errors, details, message } = JSON.parse(text) as Record<string, unknown>;
    if (Array.isArray(errors)) return errors.slice(0, 3).map(quoteEntry).join('; ');
    return [message, details].find((value) => typeof value === 'string') ?? '';
  } catch {
    return '';
  }
}

function quoteEntry(entry: unknown): string {
  const { code, message } = (entry ?? {}) as Record<string, unknown>;
  return [code, message].filter((part) => typeof part === 'string' && part !== '').join(': ');
}

/** Text of a server as it may go to a terminal. */
function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ').trim();
}
