import type { KeyObject } from 'node:crypto';
import { SignJWT } from 'jose/jwt/sign';

export interface ProofClaims {
  readonly hostId: string;
  /** Of the challenge. */
  readonly nonce: string;
  readonly bootId: string;
  /** Grows with every proof of this boot. */
  readonly counter: number;
  /** Of the host's own clock; never judged, its offset is measured from it. */
  readonly epochMilliseconds: number;
  /** JWK that secret values are to be sealed to. */
  readonly sealingKey: Readonly<Record<string, string>>;
}

/** The one signature of a session (DPoP-style, RFC 9449): a JWT as `session-proof.json` describes it. */
export function signProof(privateKey: KeyObject, claims: ProofClaims): Promise<string> {
  const { hostId, nonce, bootId, counter, epochMilliseconds, sealingKey } = claims;
  return new SignJWT({
    sub: hostId,
    htm: 'POST',
    htu: `/mco/v1/hosts/${hostId}/sessions`,
    nonce,
    bootId,
    counter,
    iat: epochMilliseconds / 1000,
    sealingKey,
  })
    .setProtectedHeader({ typ: 'mco-proof+jwt', alg: 'EdDSA' })
    .sign(privateKey);
}
