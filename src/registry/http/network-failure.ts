import { OcitsError } from '../../errors.ts';
import { PassingFailure } from './retry.ts';

const PASSING = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ECONNABORTED',
  'EAI_AGAIN',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

const CERTIFICATE = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

const UNKNOWN_ISSUER = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

/** A server that does not speak the protocol: TLS asked of plain http, or the other way round. */
const OTHER_PROTOCOL = new Set(['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']);

/** The system's or TLS's own code of what was thrown, wherever it has been wrapped; empty where there is none. */
function failureCode(error: unknown): string {
  let at: unknown = error;
  while (at instanceof PassingFailure || at instanceof OcitsError)
    at = at instanceof PassingFailure ? at.error : at.cause;
  for (; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown | undefined };
    if (typeof code === 'string' && code !== '') return code;
  }
  return '';
}

/** Whether another set of certificate authorities could make the difference. */
export function isUnknownIssuer(error: unknown): boolean {
  return UNKNOWN_ISSUER.has(failureCode(error));
}

/** Whether the server may speak the other one of http and https. */
export function suggestsOtherScheme(error: unknown): boolean {
  const code = failureCode(error);
  return (
    OTHER_PROTOCOL.has(code) ||
    code.startsWith('HPE_') ||
    code === 'ECONNRESET' ||
    code === 'ECONNREFUSED' ||
    code === 'ETIMEDOUT'
  );
}

/**
 * What a failed connection to `host` means: a PassingFailure where another attempt may go better, else a `network`
 * error that says what to try. An OcitsError or PassingFailure passes through.
 */
export function networkFailure(error: unknown, host: string, what: string): OcitsError | PassingFailure {
  if (error instanceof OcitsError || error instanceof PassingFailure) return error;
  const code = failureCode(error);
  if (error instanceof Error && error.name === 'AbortError') {
    return new OcitsError('aborted', `${what}: interrupted`, { cause: error });
  }
  const fail = (why: string, hint?: string) =>
    new OcitsError('network', `${what}: ${why}`, { cause: error, hint });
  if (code === 'ECONNREFUSED') {
    return fail(`${host} refuses the connection`, `is a registry running at ${host}?`);
  }
  if (code === 'ENOTFOUND')
    return fail(`there is no host ${host}`, 'check the name of the registry, and the network');
  if (CERTIFICATE.has(code)) {
    const hint = `put its authority's certificate into /etc/containers/certs.d/${host}/ca.crt, or set insecure = true for it in registries.conf`;
    return fail(`the certificate of ${host} is not trusted (${code})`, hint);
  }
  if (OTHER_PROTOCOL.has(code)) {
    return fail(
      `${host} does not speak https`,
      `for plain http set insecure = true for it in registries.conf`,
    );
  }
  const reason = code === '' ? messageOf(error) : `${messageOf(error)} (${code})`;
  return PASSING.has(code) ? new PassingFailure(fail(`connection to ${host} lost: ${reason}`)) : fail(reason);
}

/** node-fetch's message repeats the URL, whose query may be a secret. */
function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^request to \S+ failed, reason: ?/, '').split('\n')[0] || 'connection failed';
}
