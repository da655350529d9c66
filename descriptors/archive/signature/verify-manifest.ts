import type { Certificate, SignedData } from 'pkijs';
import { messageOf, type Clock } from '../../../kernel/index.ts';
import type { Fault } from '../../types.ts';
import { packageFault, type PackageRule } from '../package-fault.ts';
import { parseCertificates } from './certificates.ts';
import { decodeSignature, type SplitManifest } from './split-manifest.ts';
import { findChainProblem, STRONG_SIGNATURES } from './verify-chain.ts';

/** What an operator demands of the signatures of packages. */
export interface SignaturePolicy {
  /** Refuse what is not signed, bare descriptors included. A signature that is there has to be good in any case. */
  readonly required: boolean;
  /** PEM: authorities that signers chain to, or signers themselves. */
  readonly trustedCertificates: readonly string[];
  /** For the validity of certificates. */
  readonly clock: Pick<Clock, 'now'>;
}

export interface SignedManifest extends SplitManifest {
  readonly path: string;
  /** PEM of a file of the package, for signatures that do not bring the certificate themselves. */
  readonly certificates?: string;
}

const STRONG_DIGESTS: ReadonlySet<string> = new Set(
  ['1', '2', '3'].map((last) => `2.16.840.1.101.3.4.2.${last}`),
);

/**
 * What is wrong with the signature of a manifest (SOL004 option 1, a CMS SignedData of RFC 5652). Revocation is not looked at.
 * @param policy absent: a signature is only told of
 * @throws IotmanoError `unprocessable` when the trusted certificates cannot be read
 */
export async function checkSignature(
  manifest: SignedManifest,
  policy: SignaturePolicy | undefined,
): Promise<readonly Fault[]> {
  const { path, content, signature } = manifest;
  if (signature === undefined) return policy?.required === true ? [unsigned(path)] : [];
  if (policy === undefined) return [notChecked(path)];
  const { trustedCertificates, clock } = policy;
  const trusted = await readCertificates(trustedCertificates.join('\n'), 'the trusted certificates');
  try {
    const own = manifest.certificates ?? '';
    const others = await readCertificates(own, 'the package');
    const signedData = await readSignedData(signature);
    if (typeof signedData === 'string') return [badSignature(path, signedData)];
    signedData.certificates = [...(signedData.certificates ?? []), ...others, ...trusted];
    const signer = await findSigner(signedData, content);
    if (signer === undefined) return [badSignature(path, 'the manifest was changed after signing')];
    const candidates = await certificatesOf(signedData);
    const problem = await findChainProblem(signer, candidates, trusted, new Date(clock.now()));
    return problem === undefined ? [] : [signatureFault(problem.rule, path, problem.message)];
  } catch (error) {
    return [badSignature(path, messageOf(error))];
  }
}

export function unsigned(path: string): Fault {
  const message = 'the package is not signed, and only signed ones are accepted here';
  return signatureFault('package/unsigned', path, message);
}

async function readCertificates(pem: string, name: string): Promise<Certificate[]> {
  if (pem === '') return [];
  const { Certificate } = await import('pkijs');
  return parseCertificates(pem, name).map(({ raw }) => Certificate.fromBER(new Uint8Array(raw)));
}

/** The structure of a signature, or why it is not one that we accept. */
async function readSignedData(signature: string): Promise<SignedData | string> {
  const { ContentInfo, SignedData } = await import('pkijs');
  const der = decodeSignature(signature);
  if (der === undefined) return 'the block is not well-formed, or something follows it';
  const { contentType, content } = ContentInfo.fromBER(new Uint8Array(der));
  if (contentType !== ContentInfo.SIGNED_DATA) return 'it is no CMS SignedData';
  const signedData = new SignedData({ schema: content });
  const { encapContentInfo, signerInfos } = signedData;
  const [signer] = signerInfos;
  if (signer === undefined || signerInfos.length > 1)
    return `it has ${signerInfos.length} signers instead of one`;
  // The library would verify such content instead of the manifest, and take its time for the present.
  if (encapContentInfo.eContent !== undefined || encapContentInfo.eContentType !== ContentInfo.DATA)
    return 'it brings its own content instead of being detached';
  const isStrong =
    STRONG_DIGESTS.has(signer.digestAlgorithm.algorithmId) &&
    STRONG_SIGNATURES.has(signer.signatureAlgorithm.algorithmId);
  return isStrong ? signedData : 'its algorithm is not RSA or ECDSA with SHA-256, SHA-384 or SHA-512';
}

/** The certificate whose key made the signature; nothing where the signature is of something else. */
async function findSigner(signedData: SignedData, content: Buffer): Promise<Certificate | undefined> {
  const { SignedDataVerifyError } = await import('pkijs');
  const data = new Uint8Array(content).buffer;
  try {
    const result = await signedData.verify({ signer: 0, data, extendedMode: true });
    return result.signatureVerified === true ? (result.signerCertificate ?? undefined) : undefined;
  } catch (error) {
    if (error instanceof SignedDataVerifyError && error.message.includes('digest')) return undefined;
    throw error;
  }
}

async function certificatesOf({ certificates = [] }: SignedData): Promise<Certificate[]> {
  const { Certificate } = await import('pkijs');
  return certificates.filter((certificate) => certificate instanceof Certificate);
}

function notChecked(path: string): Fault {
  const fault = signatureFault(
    'package/unchecked-signature',
    path,
    `the signature of ${path} was not checked`,
  );
  return { ...fault, severity: 'warning' };
}

function badSignature(path: string, why: string): Fault {
  return signatureFault('package/bad-signature', path, `the signature of ${path} does not verify: ${why}`);
}

const REMEDIES = {
  'package/unchecked-signature': 'say whom to trust: `--trust CERTIFICATE`',
  'package/unsigned': 'sign it with `iotmano package build --sign-key … --sign-cert …`',
  'package/bad-signature': 'get the package anew from its provider, or sign it anew',
  'package/untrusted-signer':
    'have it signed by somebody trusted, or add the certificate of the authority to the trusted ones',
  'package/expired-certificate': 'have it signed anew with a certificate that is valid',
} as const satisfies Partial<Record<PackageRule, string>>;

function signatureFault(rule: keyof typeof REMEDIES, path: string, message: string): Fault {
  return packageFault(rule, path, message, REMEDIES[rule]);
}
