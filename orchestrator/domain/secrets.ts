import { hash, timingSafeEqual } from 'node:crypto';

/** Unpredictable bytes: an argument everywhere but in a composition root, as the clock is. */
export type RandomBytes = (size: number) => Buffer;

/** 256 bits, base64url. */
export function newSecret(random: RandomBytes): string {
  return random(32).toString('base64url');
}

/** What is stored of a secret: SHA-256, hex. The secrets are random and long, so nothing slower is needed. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex');
}

/** Compares two strings in a time that does not depend on where they differ, nor on how long they are. */
export function isSameSecret(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
