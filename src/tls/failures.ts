/** What is wrong when a TLS connection is not made, in words for whoever runs the machines. */

/** The verdict of OpenSSL on a certificate, and what it means. */
const verdicts: readonly (readonly [RegExp, string])[] = [
  [/CERT_HAS_EXPIRED/, 'has expired'],
  [/CERT_NOT_YET_VALID/, 'is not valid yet'],
  [/INVALID_PURPOSE/, 'is not for this use (its extended key usage must name serverAuth or clientAuth)'],
  [
    /SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)|CERT_UNTRUSTED|CERT_SIGNATURE/,
    'is not signed by an authority trusted here',
  ],
];

/** What the one that dials finds. The alerts are what the other side says (RFC 8446 §6.2). */
const dialed: readonly (readonly [RegExp, string])[] = [
  [/ALTNAME_INVALID/, 'its certificate is for other names'],
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNEXPECTED_MESSAGE|wrong version/, 'it does not speak TLS there'],
  [/alert number 116/, 'it wants to see a certificate, and was shown none'],
  [/alert number 40/, 'it refused the handshake: it may want to see a certificate, or allow none of the ciphers'],
  [/alert number 48/, 'it does not trust the authority of the certificate that it was shown'],
  [/alert number 45/, 'it finds that the certificate that it was shown has expired'],
  [/alert number 4[2346]/, 'it does not accept the certificate that it was shown'],
  [/alert number 70/, 'no version of TLS suits both; 1.2 is the oldest'],
  [/alert number 120/, 'it speaks TLS, but not gRPC'],
  // Who refuses a certificate says so and closes, and a reset may overtake what it says (TLS 1.3).
  [
    /ECONNRESET|EPIPE/,
    'it closed the connection during the TLS handshake: it may want to see a certificate, or may not accept the ' +
      'certificate that it was shown; see its log',
  ],
];

/** What the one that listens finds. */
const answered: readonly (readonly [RegExp, string])[] = [
  [/WRONG_VERSION_NUMBER|HTTP_REQUEST|UNEXPECTED_MESSAGE|HTTPS_PROXY|PACKET_LENGTH/, 'it does not speak TLS'],
  [/DID_NOT_RETURN_A_CERTIFICATE/, 'it shows no certificate'],
  [/HANDSHAKE_TIMEOUT/, 'it did not finish the TLS handshake in time'],
  [/ALERT_UNKNOWN_CA/, 'it does not trust the authority of the certificate shown here'],
  [/ALERT_(BAD_CERTIFICATE|CERTIFICATE)/, 'it does not accept the certificate shown here'],
  [/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW/, 'no version of TLS suits both; 1.2 is the oldest'],
  [/NO_APPLICATION_PROTOCOL/, 'it speaks TLS, but not gRPC'],
];

/** Closed before the other side said anything in HTTP/2, and without an alert. */
export const closedAfterHandshake =
  'it closed the connection after the TLS handshake: it may not accept the certificate that it was shown; see its log';

/** Why the other side could not be dialed: from an error of Node's TLS, or from its text. A text of no TLS comes back as it is. */
export function dialFailure(error: unknown): string {
  const text = textOf(error);
  const verdict = meaningIn(verdicts, text);
  const meaning = verdict === undefined ? meaningIn(dialed, text) : `its certificate ${verdict}`;
  return meaning === undefined ? text : `${meaning} (${shortened(text)})`;
}

/** A handshake that a listener broke off. */
export interface BrokenHandshake {
  readonly error: unknown;
  /** What is wrong with the certificate of who dialed, if that was the reason. */
  readonly authorizationError?: unknown;
}

/** Why a listener broke off a handshake; `undefined` if the other side just went away, as does one that only looks who listens. */
export function answerFailure({ error, authorizationError }: BrokenHandshake): string | undefined {
  const verdict = textOf(authorizationError ?? '');
  if (verdict !== '') return `its certificate ${meaningIn(verdicts, verdict) ?? 'is refused'} (${verdict})`;
  const text = textOf(error);
  if (/ECONNRESET|EPIPE/.test(text)) return undefined;
  return `${meaningIn(answered, text) ?? 'the TLS handshake failed'} (${shortened(text)})`;
}

function meaningIn(meanings: readonly (readonly [RegExp, string])[], text: string): string | undefined {
  return meanings.find(([pattern]) => pattern.test(text))?.[1];
}

/** Code and message of an error, as far as it has them. */
function textOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return String(error);
  return 'code' in error ? `${String(error.code)}: ${String(error.message)}` : String(error.message);
}

/** OpenSSL's own text names files of its source: only what is between is of use. */
function shortened(text: string): string {
  return text
    .trim()
    .replace(/[0-9A-F]+:error:[0-9A-F]+:SSL routines:[^:]*:([^:]*):.*/s, '$1')
    .replace(/^ERR_SSL_\w+: /, '');
}
