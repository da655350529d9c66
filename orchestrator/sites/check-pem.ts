import { X509Certificate, createPrivateKey, type KeyObject } from 'node:crypto';
import { IotmanoError } from '../../kernel/index.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** @throws IotmanoError `unprocessable`, which never quotes the text */
export function checkCertificates(pem: string, pointer: string): readonly X509Certificate[] {
  try {
    const certificates = (pem.match(CERTIFICATE) ?? []).map((text) => new X509Certificate(text));
    if (certificates.length > 0) return certificates;
  } catch {
    // Said below.
  }
  throw refusal(
    pointer,
    'holds no certificate that can be read; give it as PEM, beginning with -----BEGIN CERTIFICATE-----',
  );
}

/** @throws IotmanoError `unprocessable` where either cannot be read, or they do not belong together */
export function checkKeyPair(certificatePem: string, keyPem: string): void {
  const [certificate] = checkCertificates(certificatePem, '/accessInfo/clientCertificate');
  const key = readKey(keyPem);
  if (certificate?.checkPrivateKey(key) === false)
    throw refusal(
      '/accessInfo/clientKey',
      'is not the key of the certificate; give the two that belong together',
    );
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw refusal(
      '/accessInfo/clientKey',
      'holds no private key that can be read; give it as PEM, without a passphrase',
    );
  }
}

export function refusal(pointer: string, text: string): IotmanoError {
  return new IotmanoError('unprocessable', `body${pointer} ${text}`, { pointer });
}
