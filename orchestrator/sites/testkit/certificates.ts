import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface CertificateAndKey {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate that vouches for itself, and its key, as PEM. Needs openssl. */
export function makeCertificate(name: string): CertificateAndKey {
  const directory = mkdtempSync(join(tmpdir(), 'iotmano-pem-'));
  try {
    const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const make = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=${name}`;
    execFileSync('openssl', [...make.split(' '), '-keyout', key, '-out', certificate], { stdio: 'ignore' });
    return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
