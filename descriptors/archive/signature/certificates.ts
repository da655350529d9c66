import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { IotmanoError, messageOf } from '../../../kernel/index.ts';

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * The certificates of a PEM text, in its order.
 * @throws IotmanoError `unprocessable` when there is none, or one that cannot be read
 */
export function parseCertificates(pem: string, name: string): X509Certificate[] {
  const blocks = pem.match(BLOCK) ?? [];
  if (blocks.length === 0)
    throw new IotmanoError('unprocessable', `${name} holds no certificate; give one in PEM`);
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      const message = `a certificate in ${name} cannot be read: ${messageOf(error)}; give it in PEM`;
      throw new IotmanoError('unprocessable', message, {}, error);
    }
  });
}

/**
 * Reads files of certificates that signers of packages may chain to, for `SignaturePolicy.trustedCertificates`.
 * @throws IotmanoError `unprocessable` when one cannot be read or holds no certificate
 */
export async function loadTrustedCertificates(files: readonly string[]): Promise<readonly string[]> {
  return Promise.all(
    files.map(async (file) => {
      const pem = await readPem(file);
      parseCertificates(pem, file);
      return pem;
    }),
  );
}

/** @throws IotmanoError `unprocessable` when the file cannot be read */
export async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new IotmanoError('unprocessable', `${file} cannot be read: ${messageOf(error)}`, {}, error);
  }
}
