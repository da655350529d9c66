import { compactVerify } from 'jose';
import { IotmanoError, type HostId } from '../../kernel/index.ts';
import { importPublicKey } from './public-key.ts';
import { parseSealingKey, type HostSealingKey } from './sealing-key.ts';

/** What a host has signed, as far as it concerns the session. */
export interface ProofClaims {
  readonly nonce: string;
  readonly bootId: string;
  readonly counter: number;
  /** The host's clock, milliseconds since the epoch; never judged. */
  readonly issuedAtMilliseconds?: number;
  /** What secret values are to be sealed to from now on. */
  readonly sealingKey?: HostSealingKey;
}

const PROOF_TYPE = 'mco-proof+jwt';

/**
 * Checks the signature and what the proof is for. The nonce is for the caller to check; no time in it is believed.
 * @throws IotmanoError `unauthorized`
 */
export async function verifyProof(
  proof: string,
  hostId: HostId,
  publicKey: Readonly<Record<string, string>>,
): Promise<ProofClaims> {
  const key = await importPublicKey({ x: publicKey['x'] });
  const verified = await compactVerify(proof, key, { algorithms: ['EdDSA'] }).catch((error: unknown) => {
    throw refusal('is not signed with the key that the host was enrolled with', error);
  });
  if (verified.protectedHeader.typ !== PROOF_TYPE) throw refusal(`has not the type ${PROOF_TYPE}`);
  const claims = parsePayload(verified.payload);
  if (claims['sub'] !== hostId) throw refusal(`is not for host ${hostId}`);
  if (claims['htm'] !== 'POST' || claims['htu'] !== `/mco/v1/hosts/${hostId}/sessions`)
    throw refusal(`is not for POST /mco/v1/hosts/${hostId}/sessions`);
  const sealingKey = await parseSealingKey(claims['sealingKey']);
  return { ...parseClaims(claims), ...(sealingKey === undefined ? {} : { sealingKey }) };
}

function parsePayload(payload: Uint8Array): Record<string, unknown> {
  try {
    const claims: unknown = JSON.parse(new TextDecoder().decode(payload));
    if (typeof claims === 'object' && claims !== null) return claims as Record<string, unknown>;
  } catch (error) {
    throw refusal('does not hold JSON', error);
  }
  throw refusal('does not hold a JSON object');
}

function parseClaims({ nonce, bootId, counter, iat }: Record<string, unknown>): ProofClaims {
  if (typeof nonce !== 'string') throw refusal('has no claim "nonce"');
  if (typeof bootId !== 'string' || !/^[A-Za-z0-9-]{8,64}$/.test(bootId))
    throw refusal('has no valid claim "bootId"');
  if (typeof counter !== 'number' || !Number.isSafeInteger(counter) || counter < 1)
    throw refusal('has no claim "counter" from 1 on');
  const hasTime = typeof iat === 'number' && Number.isFinite(iat) && Math.abs(iat) < 1e12;
  return { nonce, bootId, counter, ...(hasTime ? { issuedAtMilliseconds: iat * 1000 } : {}) };
}

function refusal(what: string, cause?: unknown): IotmanoError {
  return new IotmanoError(
    'unauthorized',
    `the proof ${what}; get a new challenge and sign it as session-proof.json says`,
    {},
    cause,
  );
}
