// Certificates for TLS on loopback, made with the openssl command; started by itself, puts them into a directory.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../lib/run.mjs';

const days = '2';
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
/** Of a member, to its clients and to its peers on either end of a connection. */
const extensions = `basicConstraints = critical, CA:false
subjectAltName = IP:127.0.0.1, DNS:localhost
extendedKeyUsage = serverAuth, clientAuth
`;

async function openssl(...args) {
  const { ok, output } = await run(['openssl', ...args], { timeoutMs: 60_000 });
  if (!ok) throw new Error(`openssl ${args[0]} failed:\n${output}`);
}

/**
 * An authority, and a certificate of it for this machine, as ca.pem, member.pem and member.key in a directory.
 *
 * @returns their paths
 */
export async function makeCertificates(directory) {
  const file = (name) => join(directory, name);
  const [ca, caKey, request] = [file('ca.pem'), file('ca.key'), file('member.csr')];
  const tls = { ca, certificate: file('member.pem'), key: file('member.key') };
  await writeFile(file('extensions'), extensions);
  await openssl('req', '-x509', ...newKey, '-days', days, '-subj', '/CN=authority', '-keyout', caKey, '-out', ca);
  await openssl('req', '-new', ...newKey, '-subj', '/CN=member', '-keyout', tls.key, '-out', request);
  const signed = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-extfile', file('extensions'), '-days', days];
  await openssl('x509', '-req', '-in', request, ...signed, '-out', tls.certificate);
  return tls;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await makeCertificates(process.argv[2]);
