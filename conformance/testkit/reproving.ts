import { generateKeyPairSync } from 'node:crypto';
import { SignJWT, decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose';
import type { Meddle } from './meddling-proxy.ts';

/** Enrols every host with a key of its own in place of the host's, so that it can say other things in proofs than the host does. */
export function reproving(revise: (claims: JWTPayload) => JWTPayload): () => Meddle {
  return () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    return async (passing, forward) => {
      const { what, body } = passing;
      if (what === 'enrolments' && body !== undefined)
        return forward({ body: { ...body, publicKey: publicKey.export({ format: 'jwk' }) } });
      if (what !== 'sessions' || typeof body?.['proof'] !== 'string') return forward();
      const { typ = '' } = decodeProtectedHeader(body['proof']);
      const proof = await new SignJWT(revise(decodeJwt(body['proof'])))
        .setProtectedHeader({ typ, alg: 'EdDSA' })
        .sign(privateKey);
      return forward({ body: { ...body, proof } });
    };
  };
}
