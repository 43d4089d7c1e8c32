/** TLS between members: what a member shows, listening and dialing, and whose certificates it accepts. */
import { X509Certificate } from 'node:crypto';
import type { Http2SecureServer } from 'node:http2';
import type { Socket } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { type ChannelCredentials, credentials, type Server, ServerCredentials } from '@grpc/grpc-js';
import type { Logger } from '../base/logger';
import { splitAddress } from '../base/names';
import type { TlsSource } from '../base/tls';
import { contextOf, contextOptions, minTlsVersion } from '../tls/context';
import { dialCredentials } from '../tls/dialing';
import { answerFailure } from '../tls/failures';

/** How members recognise each other by certificates. */
export interface PeerTls {
  readonly source: TlsSource;
  /** A peer's certificate carries one of these names; any, if there are none. */
  readonly allowedNames: readonly string[];
}

/** Credentials for the next connection to a peer: with the identity of this moment. Without `tls` in plain text. */
export function credentialsFor(
  address: string,
  tls: PeerTls | undefined,
  { timeoutMs, onEnd }: { readonly timeoutMs: number; readonly onEnd?: (reason: string) => void },
): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  return dialCredentials({
    context: contextOf(tls.source.current),
    serverName: splitAddress(address).host,
    check: (certificate) => {
      const reason = refusalOf(certificate, tls);
      return reason === undefined ? undefined : new Error(reason);
    },
    timeoutMs,
    ...(onEnd === undefined ? {} : { onEnd }),
  });
}

/** Why a member is not let in, or not talked to, with this certificate, which is signed by a trusted authority. */
export function refusalOf(
  certificate: PeerCertificate | undefined,
  { allowedNames }: Pick<PeerTls, 'allowedNames'>,
): string | undefined {
  if (allowedNames.length === 0) return undefined;
  if (certificate !== undefined && allowedNames.some((name) => carries(certificate, name))) return undefined;
  const shown = certificate === undefined ? 'none' : namesOf(certificate).join(', ');
  return `the certificate of the peer carries none of the names in --peer-allowed-names (it carries: ${shown})`;
}

function carries({ raw, subject }: PeerCertificate, name: string): boolean {
  const isForHost = new X509Certificate(raw).checkHost(name, { subject: 'never' }) !== undefined;
  return isForHost || commonNamesOf(subject).includes(name);
}

function namesOf({ subject, subjectaltname }: PeerCertificate): readonly string[] {
  return [...commonNamesOf(subject).map((name) => `CN=${name}`), ...(subjectaltname?.split(', ') ?? [])];
}

/** There may be several, whatever the types say. */
function commonNamesOf({ CN }: PeerCertificate['subject']): readonly string[] {
  return [(CN ?? []) as string | readonly string[]].flat();
}

/** Mutual TLS for the peer listener. Connections that come in after a change of the identity get the new one. */
export class PeerServerCredentials extends ServerCredentials {
  constructor(source: TlsSource, { logger, timeoutMs }: { readonly logger: Logger; readonly timeoutMs: number }) {
    const always = { requestCert: true, rejectUnauthorized: true, handshakeTimeout: timeoutMs };
    super({ ...always, minVersion: minTlsVersion }, contextOptions(source.current));
    source.onChange(() => {
      try {
        contextOf(source.current);
        this.updateSecureContextOptions(contextOptions(source.current));
      } catch (error) {
        // grpc-js would refuse every connection from here on.
        logger.error(
          { reason: String(error) },
          'the peer listener cannot use the new certificate and keeps the old one',
        );
      }
    });
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/** Who did not get through the handshake, and why. */
export type OnTurnedAway = (address: string, reason: string) => void;

/** Tells of each handshake that failed on a server that listens already. grpc-js has no public way to hear of them. */
export function watchHandshakes(server: Server, onTurnedAway: OnTurnedAway): void {
  for (const listener of (server['http2Servers'] as Map<Http2SecureServer, unknown>).keys()) {
    // A socket knows the address of the other end once it was asked, and forgets it otherwise when it is closed.
    listener.on('connection', (socket: Socket) => socket.remoteAddress);
    listener.on('tlsClientError', (error: Error, socket: TLSSocket & { readonly _parent?: Socket }) => {
      const reason = answerFailure({ error, authorizationError: socket.authorizationError });
      if (reason !== undefined) onTurnedAway(socket._parent?.remoteAddress ?? 'an unknown address', reason);
    });
  }
}
