import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Extensions of an authority's certificate. */
export const AUTHORITY: readonly string[] = [
  'basicConstraints=critical,CA:TRUE',
  'keyUsage=critical,keyCertSign',
];
/** Extensions of a signer's certificate. */
export const SIGNER: readonly string[] = [
  'basicConstraints=critical,CA:FALSE',
  'keyUsage=critical,digitalSignature',
];

export const EC: readonly string[] = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
export const RSA: readonly string[] = ['-newkey', 'rsa:2048'];

export interface CertificateOptions {
  /** Absent: it signs itself. */
  readonly issuer?: string;
  readonly extensions?: readonly string[];
  readonly key?: readonly string[];
  readonly days?: number;
}

/** Keys and certificates for tests, made by OpenSSL in a directory as `name.key` and `name.pem`. */
export interface CertificateShop {
  issue(name: string, options?: CertificateOptions): void;
  /** Another certificate for the key and the name of `subject`. */
  certify(name: string, subject: string, issuer: string, extensions: readonly string[]): void;
  certificate(name: string): Promise<string>;
  key(name: string): Promise<string>;
  openssl(...args: readonly string[]): string;
}

export function openCertificateShop(directory: string): CertificateShop {
  const openssl = (...args: readonly string[]) =>
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' }).toString();
  const request = (
    subject: string,
    issuer: string | undefined,
    extensions: readonly string[],
    rest: readonly string[],
  ) => {
    const signedBy = issuer === undefined ? [] : ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`];
    const added = extensions.flatMap((extension) => ['-addext', extension]);
    openssl('req', '-x509', '-nodes', '-subj', `/CN=${subject}`, ...signedBy, ...added, ...rest);
  };
  return {
    openssl,
    issue(name, { issuer, extensions = SIGNER, key = EC, days = 30 } = {}) {
      const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', `${days}`];
      request(name, issuer, extensions, [...key, ...files]);
    },
    certify(name, subject, issuer, extensions) {
      request(subject, issuer, extensions, ['-key', `${subject}.key`, '-out', `${name}.pem`]);
    },
    certificate: (name) => readFile(join(directory, `${name}.pem`), 'utf8'),
    key: (name) => readFile(join(directory, `${name}.key`), 'utf8'),
  };
}
