import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { IotmanoError, messageOf, systemClock } from '../kernel/index.ts';
import { createHostAuthority, readHostsIssuer, readServer } from '../pki/index.ts';
import type { ServedCertificate } from './api/index.ts';
import type { ComposeOptions } from './compose.ts';

export interface TlsOptions {
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** Made by `iotmano pki init`: certificates are issued to hosts, and `server` is used where `tls` is not given. */
  readonly pkiDirectory?: string;
}

export interface OpenTls {
  /** What is shown to who connects, as it is on disk now; absent: there is no TLS. @throws IotmanoError where it cannot be read */
  readonly readServed?: () => ServedCertificate;
  readonly hostAuthority?: NonNullable<ComposeOptions['hostAuthority']>;
}

/** @throws IotmanoError `not-found` where the directory does not hold the authority of the hosts */
export function openTls({ tls, pkiDirectory }: TlsOptions): OpenTls {
  if (pkiDirectory === undefined) return tls === undefined ? {} : { readServed: () => readFiles(tls) };
  const issuer = readHostsIssuer(pkiDirectory);
  return {
    readServed: () => (tls === undefined ? readServer(pkiDirectory) : readFiles(tls)),
    hostAuthority: createHostAuthority({ ...issuer, clock: systemClock, random: randomBytes }),
  };
}

function readFiles({ certFile, keyFile }: NonNullable<TlsOptions['tls']>): ServedCertificate {
  try {
    return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  } catch (error) {
    throw new IotmanoError(
      'unprocessable',
      `the TLS certificate or key cannot be read: ${messageOf(error)}`,
      {},
      error,
    );
  }
}
