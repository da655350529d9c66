import { createHash, timingSafeEqual } from 'node:crypto';

/** Unpredictable bytes: an argument everywhere but in a composition root, as the clock is. */
export type RandomBytes = (size: number) => Buffer;

/** What is stored of a secret: SHA-256, hex. The secrets are random and long, so nothing slower is needed. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}

/** Compares two hashes in a time that does not depend on where they differ. */
export function isSameHash(one: string, other: string): boolean {
  const a = Buffer.from(one, 'utf8');
  const b = Buffer.from(other, 'utf8');
  return a.length === b.length && timingSafeEqual(a, b);
}

/** 256 bits, base64url. */
export function newSecret(random: RandomBytes): string {
  return random(32).toString('base64url');
}
