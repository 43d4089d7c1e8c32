/** Calls HTTP over TLS, one connection a call, as curl would. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { CertificateFiles } from './certificates';

/** What a client trusts and shows. */
export interface Shown {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface HttpsAnswer {
  readonly status: number | undefined;
  readonly text: string;
  /** The common name in the certificate of the server. */
  readonly server: string | undefined;
}

export function shownOf(ca: string, files?: CertificateFiles): Shown {
  if (files === undefined) return { ca };
  return { ca, cert: readFileSync(files.certFile, 'utf8'), key: readFileSync(files.keyFile, 'utf8') };
}

/** GET, or POST of a body as JSON. */
export function callHttps(address: string, path: string, shown: Shown, body?: object): Promise<HttpsAnswer> {
  const [host, port] = address.split(':');
  const method = body === undefined ? 'GET' : 'POST';
  return new Promise((resolve, reject) => {
    const call = request({ ...shown, host, port, path, method, agent: false }, (response) => {
      const { subject } = (response.socket as unknown as Pick<TLSSocket, 'getPeerCertificate'>).getPeerCertificate();
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.once('end', () => {
        resolve({ status: response.statusCode, text, server: subject.CN as string | undefined });
      });
    });
    call.once('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
