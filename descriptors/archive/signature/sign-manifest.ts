import { createPrivateKey, type KeyObject } from 'node:crypto';
import { IotmanoError, messageOf } from '../../../kernel/index.ts';
import { parseCertificates } from './certificates.ts';
import { encodeSignature } from './split-manifest.ts';

/** Who signs a package. */
export interface PackageSigner {
  /** PEM, without a passphrase; RSA, or EC on P-256, P-384 or P-521. */
  readonly key: string;
  /** PEM: the certificate of the key first, then those between it and the trusted one. All go into the signature. */
  readonly certificates: string;
}

/** The curves by the names that OpenSSL and the Web Crypto API have for them. */
const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

/**
 * The manifest with its signature behind it (SOL004 option 1). With an RSA key the same input gives the same bytes.
 * @throws IotmanoError `unprocessable` when key and certificate cannot be read, do not belong together, or are of another kind
 */
export async function signManifest(manifest: string, signer: PackageSigner): Promise<string> {
  const [own, ...issuers] = parseCertificates(signer.certificates, 'the certificate of the signer');
  const key = readKey(signer.key);
  if (own?.checkPrivateKey(key) !== true)
    throw new IotmanoError(
      'unprocessable',
      'the key of the signer does not belong to the first certificate; put the certificate of the key first',
    );
  const { Certificate, ContentInfo, EncapsulatedContentInfo, IssuerAndSerialNumber, SignedData, SignerInfo } =
    await import('pkijs');
  const certificates = [own, ...issuers].map(({ raw }) => Certificate.fromBER(new Uint8Array(raw)));
  const signedData = new SignedData({
    encapContentInfo: new EncapsulatedContentInfo({ eContentType: ContentInfo.DATA }),
    signerInfos: [new SignerInfo({ version: 1, sid: new IssuerAndSerialNumber(certificates[0]) })],
    certificates,
  });
  const cryptoKey = key.toCryptoKey(algorithmOf(key), false, ['sign']);
  await signedData.sign(cryptoKey, 0, 'SHA-256', new TextEncoder().encode(manifest).buffer);
  const content = signedData.toSchema(true);
  const info = new ContentInfo({ contentType: ContentInfo.SIGNED_DATA, content });
  return manifest + encodeSignature(new Uint8Array(info.toSchema().toBER()));
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const message = `the key of the signer cannot be read: ${messageOf(error)}; give it in PEM, without a passphrase`;
    throw new IotmanoError('unprocessable', message, {}, error);
  }
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject) {
  if (asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const namedCurve = CURVES[asymmetricKeyDetails?.namedCurve ?? ''];
  if (asymmetricKeyType === 'ec' && namedCurve !== undefined) return { name: 'ECDSA', namedCurve };
  throw new IotmanoError(
    'unprocessable',
    `packages cannot be signed with a key of type ${asymmetricKeyType}; use RSA, or EC on P-256, P-384 or P-521`,
  );
}
