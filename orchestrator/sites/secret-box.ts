import { createHash } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { IotmanoError, type VimId } from '../../kernel/index.ts';
import type { VimAccessInfo } from './vim-access.ts';

/** Seals credentials for the store, and opens them again: JWE, `dir` with A256GCM. */
export interface SecretBox {
  /** @throws IotmanoError `unavailable` where there is no usable key */
  seal(vimId: VimId, access: VimAccessInfo): Promise<string>;
  /** @throws IotmanoError `unavailable`, with what to do, where it was sealed with another key, for another VIM, or is damaged */
  open(vimId: VimId, sealed: string): Promise<VimAccessInfo>;
}

/** A key of 256 bits, or why there is none. */
export type SecretsKey =
  { readonly type: 'key'; readonly key: Uint8Array } | { readonly type: 'unusable'; readonly reason: string };

export function createSecretBox(source: SecretsKey): SecretBox {
  return {
    seal: async (vimId, access) => {
      const key = requireKey(source);
      return await new CompactEncrypt(new TextEncoder().encode(JSON.stringify({ vimId, access })))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: keyId(key) })
        .encrypt(key);
    },
    open: async (vimId, sealed) => {
      const content = await decrypt(requireKey(source), sealed, vimId);
      // A sealed text that was moved to another record opens, and is not for it.
      if (content.vimId !== vimId) throw unusable(vimId, `they are those of VIM ${content.vimId}`);
      return content.access;
    },
  };
}

interface Sealed {
  readonly vimId: string;
  readonly access: VimAccessInfo;
}

async function decrypt(key: Uint8Array, sealed: string, vimId: VimId): Promise<Sealed> {
  try {
    const { plaintext } = await compactDecrypt(sealed, key, {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    return JSON.parse(new TextDecoder().decode(plaintext)) as Sealed;
  } catch {
    const wanted = kidOf(sealed);
    const isOther = wanted !== undefined && wanted !== keyId(key);
    throw unusable(
      vimId,
      isOther ? `they were sealed with key ${wanted}, and secrets.key is ${keyId(key)}` : 'they are damaged',
    );
  }
}

function requireKey(source: SecretsKey): Uint8Array {
  if (source.type === 'key') return source.key;
  throw new IotmanoError('unavailable', source.reason);
}

/** Tells keys apart without telling anything about them. */
function keyId(key: Uint8Array): string {
  return createHash('sha256').update('iotmano-secrets-key').update(key).digest('hex').slice(0, 12);
}

function kidOf(sealed: string): string | undefined {
  try {
    const header: unknown = JSON.parse(
      Buffer.from(sealed.split('.', 1)[0] ?? '', 'base64url').toString('utf8'),
    );
    const kid = (header as { readonly kid?: unknown } | null)?.kid;
    return typeof kid === 'string' ? kid : undefined;
  } catch {
    return undefined;
  }
}

function unusable(vimId: VimId, why: string): IotmanoError {
  return new IotmanoError(
    'unavailable',
    `the credentials of VIM ${vimId} cannot be opened: ${why}; put the secrets.key back that belongs to this store, or give the credentials anew (PATCH accessInfo, or iotmano vim set)`,
  );
}
