import { createHash, timingSafeEqual } from 'node:crypto';
import { IotmanoError } from '../../../kernel/index.ts';
import { matchesPattern } from '../../shared/index.ts';

/** Which originators show which token. Only the hash of the token is known here. */
export interface Credential {
  /** An originator, or a pattern with `*`. */
  readonly originator: string;
  readonly tokenSha256: string;
}

/** @throws IotmanoError `invalid-parameter` when the configured list is not one of credentials */
export function parseCredentials(list: readonly unknown[]): readonly Credential[] {
  return list.map((item, index) => {
    const { originator, tokenSha256 } = (item ?? {}) as Partial<Record<keyof Credential, unknown>>;
    if (
      typeof originator !== 'string' ||
      typeof tokenSha256 !== 'string' ||
      !/^[0-9a-f]{64}$/.test(tokenSha256)
    ) {
      throw new IotmanoError(
        'invalid-parameter',
        `configuration "credentials"[${index}] needs originator and tokenSha256 (64 hex digits)`,
      );
    }
    return { originator, tokenSha256 };
  });
}

/** Whether the Authorization header proves the originator. With no credentials configured, everybody is believed. */
export function isAuthentic(
  credentials: readonly Credential[],
  originator: string,
  authorization: string | undefined,
): boolean {
  if (credentials.length === 0) return true;
  const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
  const shown = createHash('sha256').update(token).digest();
  return credentials.some(
    (credential) =>
      matchesPattern(credential.originator, originator) &&
      timingSafeEqual(Buffer.from(credential.tokenSha256, 'hex'), shown),
  );
}
