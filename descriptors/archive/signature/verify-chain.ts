import type { Certificate } from 'pkijs';

/** Why a signer is not to be trusted. */
export interface ChainProblem {
  readonly rule: 'package/untrusted-signer' | 'package/expired-certificate';
  readonly message: string;
}

/** Beyond this many steps certificates lead in a circle, or are meant to waste time. */
const MAX_STEPS = 32;
const OUTSIDE_VALIDITY = 8;

const KEY_USAGE = '2.5.29.15';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const BASIC_CONSTRAINTS = '2.5.29.19';
/** digitalSignature and nonRepudiation (RFC 5280 clause 4.2.1.3). */
const MAY_SIGN = 0b1100_0000;
/** codeSigning, emailProtection, anyExtendedKeyUsage: a certificate for TLS alone is no signer of packages. */
const SIGNING_PURPOSES = ['1.3.6.1.5.5.7.3.3', '1.3.6.1.5.5.7.3.4', '2.5.29.37.0'];

/** RSA and ECDSA with SHA-2; `rsaEncryption` is what CMS says of RSA with the digest that stands beside it. */
export const STRONG_SIGNATURES: ReadonlySet<string> = new Set([
  ...['1', '10', '11', '12', '13'].map((last) => `1.2.840.113549.1.1.${last}`),
  ...['2', '3', '4'].map((last) => `1.2.840.10045.4.3.${last}`),
]);

/**
 * Whether a signer chains to a trusted certificate at a time (RFC 5280 clause 6), or is one itself. Revocation is not looked at.
 * @param others certificates that may stand between; they need not be of any good
 */
export async function findChainProblem(
  signer: Certificate,
  others: readonly Certificate[],
  trusted: readonly Certificate[],
  at: Date,
): Promise<ChainProblem | undefined> {
  const { CertificateChainValidationEngine } = await import('pkijs');
  const isAmong = (list: readonly Certificate[], { tbsView }: Certificate) =>
    list.some((other) => Buffer.compare(other.tbsView, tbsView) === 0);
  if (isAmong(trusted, signer)) return isValidAt(signer, at) ? undefined : expired(at);
  let steps = 0;
  const engine = new CertificateChainValidationEngine({
    trustedCerts: [...trusted],
    // The library takes the last one for the signer.
    certs: [...others.filter((other) => !isAmong([signer, ...trusted], other)), signer],
    checkDate: at,
    findIssuer: (certificate, self) => {
      if (++steps > MAX_STEPS) throw new Error('the certificates lead in a circle');
      return self.defaultFindIssuer(certificate, self);
    },
  });
  const { result, resultCode, resultMessage, certificatePath } = await engine.verify();
  if (result && certificatePath !== undefined) return findPathProblem(certificatePath);
  return resultCode === OUTSIDE_VALIDITY ? expired(at) : untrusted(resultMessage);
}

/** What the library does not look at. */
function findPathProblem(path: readonly Certificate[]): ChainProblem | undefined {
  const [signer, ...issuers] = path;
  if (signer === undefined || !maySign(signer)) return untrusted('the certificate is not made for signing');
  if (
    path.slice(0, -1).some(({ signatureAlgorithm }) => !STRONG_SIGNATURES.has(signatureAlgorithm.algorithmId))
  )
    return untrusted('a certificate is signed with a weak algorithm');
  const isTooLong = issuers.some((issuer, below) => below > pathLengthOf(issuer));
  return isTooLong ? untrusted('the chain is longer than one of its certificates allows') : undefined;
}

function maySign(certificate: Certificate): boolean {
  const usage = extensionOf(certificate, KEY_USAGE)?.valueBlock.valueHexView[0] as number | undefined;
  const purposes = extensionOf(certificate, EXTENDED_KEY_USAGE)?.keyPurposes as readonly string[] | undefined;
  return (
    (usage === undefined || (usage & MAY_SIGN) !== 0) &&
    (purposes === undefined || purposes.some((purpose) => SIGNING_PURPOSES.includes(purpose)))
  );
}

/** How many certificates of authorities may stand below this one. */
function pathLengthOf(certificate: Certificate): number {
  const length: unknown = extensionOf(certificate, BASIC_CONSTRAINTS)?.pathLenConstraint;
  return typeof length === 'number' ? length : Infinity;
}

function extensionOf({ extensions = [] }: Certificate, id: string) {
  return extensions.find(({ extnID }) => extnID === id)?.parsedValue;
}

function isValidAt({ notBefore, notAfter }: Certificate, at: Date): boolean {
  return notBefore.value <= at && at <= notAfter.value;
}

function expired(at: Date): ChainProblem {
  const message = `a certificate of the signer has expired or is not valid yet at ${at.toISOString()}`;
  return { rule: 'package/expired-certificate', message };
}

function untrusted(why: string): ChainProblem {
  return { rule: 'package/untrusted-signer', message: `the signer chains to no trusted certificate: ${why}` };
}
