import { generateKeyPairSync } from 'node:crypto';
import { IotmanoError } from '../../kernel/index.ts';

/** Where key pairs come from: an argument everywhere but in a composition root. */
export interface KeySource {
  /** A new Ed25519 key pair; both parts are 32 bytes, base64url. */
  ed25519(): { readonly seed: string; readonly publicKey: string };
}

export const randomKeys: KeySource = {
  ed25519: () => {
    const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    if (d === undefined || x === undefined) throw new IotmanoError('internal', 'no Ed25519 key was made');
    return { seed: d, publicKey: x };
  },
};
