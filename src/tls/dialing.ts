/** The dialing side of TLS: credentials for gRPC channels whose handshakes end in time and say why they failed. */
import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect, type PeerCertificate, type SecureContext } from 'node:tls';
import { type CallCredentials, ChannelCredentials, credentials } from '@grpc/grpc-js';
import { closedAfterHandshake, dialFailure } from './failures';

/** How to dial. */
export interface DialOptions {
  readonly context: SecureContext;
  /** Whose certificate has to be shown: a host name or an IP address. */
  readonly serverName: string;
  /** Takes whatever certificate is shown. */
  readonly takesAny?: boolean;
  /** What else a certificate must fulfil: an error if it does not. */
  readonly check?: (certificate: PeerCertificate) => Error | undefined;
  /** A handshake that takes longer is given up. */
  readonly timeoutMs: number;
  /** Told when a connection fails or ends, also after its handshake: in TLS 1.3 a listener may refuse only then. */
  readonly onEnd?: (reason: string) => void;
}

/**
 * Credentials for channels to one address. Unlike those of grpc-js they close what is under way when the channel is closed
 * (theirs would leave a socket behind, which keeps the process alive), do not wait for ever for somebody who is silent,
 * and do not offer IP addresses as names (RFC 6066 §3).
 */
export function dialCredentials(options: DialOptions): ChannelCredentials {
  return new DialCredentials(options);
}

type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;
type Connected = Awaited<ReturnType<Connector['connect']>>;

class DialCredentials extends ChannelCredentials {
  readonly #options: DialOptions;

  constructor(options: DialOptions) {
    super();
    this.#options = options;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(_target: unknown, _options: unknown, callCredentials?: CallCredentials): Connector {
    const dialer = new Dialer(this.#options);
    const calls = callCredentials ?? credentials.createEmpty();
    return {
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => calls,
      connect: (socket) => dialer.connect(socket),
      destroy: () => {
        dialer.stop();
      },
    };
  }
}

/** The handshakes of one channel. */
class Dialer {
  readonly #options: DialOptions;
  readonly #underWay = new Set<Socket>();
  #isStopped = false;

  constructor(options: DialOptions) {
    this.#options = options;
  }

  /** Makes a TCP connection one of TLS. */
  connect(plain: Socket): Promise<Connected> {
    this.#underWay.add(plain);
    const timer = setTimeout(() => plain.destroy(), this.#options.timeoutMs);
    const settled = (): void => {
      clearTimeout(timer);
      this.#underWay.delete(plain);
    };
    if (this.#isStopped) plain.destroy();
    return new Promise((resolve, reject) => {
      let lastWords = 'it did not finish the TLS handshake in time, or closed the connection';
      const socket = connect({ ...this.#connectOptions(), socket: plain }, () => {
        lastWords = closedAfterHandshake;
        settled();
        resolve({ socket, secure: true });
      });
      socket.on('error', (error) => (lastWords = dialFailure(error)));
      socket.once('close', () => {
        settled();
        this.#options.onEnd?.(lastWords);
        reject(new Error(lastWords));
      });
    });
  }

  /** Ends the handshakes that are under way; connections that are made are no longer ours. */
  stop(): void {
    this.#isStopped = true;
    for (const plain of this.#underWay) plain.destroy();
  }

  #connectOptions() {
    const { context, serverName, takesAny = false, check } = this.#options;
    return {
      secureContext: context,
      host: serverName,
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      ALPNProtocols: ['h2'],
      rejectUnauthorized: !takesAny,
      checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
        checkServerIdentity(serverName, certificate) ?? check?.(certificate),
    };
  }
}
