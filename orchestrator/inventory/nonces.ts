import { createHmac } from 'node:crypto';
import type { Clock, HostId } from '../../kernel/index.ts';
import { isSameSecret, type RandomBytes } from '../domain/index.ts';

export const NONCE_SECONDS = 60;

/**
 * Nonces that this process has made, for one host each, good once. A nonce carries its own proof of origin: whoever asks for many, without
 * being anybody yet, costs no memory. Those of another leader are unknown, and the agent gets a new one.
 */
export interface Nonces {
  issue(hostId: HostId): string;
  /** Whether it is good now. */
  isGood(hostId: HostId, nonce: string): boolean;
  /** Uses it up; false where it is not good. */
  use(hostId: HostId, nonce: string): boolean;
}

export function createNonces(clock: Clock, random: RandomBytes): Nonces {
  const key = random(32);
  const used = new Map<string, number>();

  const seal = (hostId: HostId, body: string): string =>
    createHmac('sha256', key).update(`${hostId}/${body}`).digest('hex');

  function isGood(hostId: HostId, nonce: string): boolean {
    const [expiry = '', salt = '', mac = ''] = nonce.split('_', 3);
    if (!isSameSecret(mac, seal(hostId, `${expiry}_${salt}`))) return false;
    return Number(expiry) > clock.monotonic() && !used.has(nonce);
  }

  function forgetExpired(): void {
    const now = clock.monotonic();
    for (const [nonce, expiry] of used) {
      // In order of use, and so nearly in order of expiry.
      if (expiry > now) break;
      used.delete(nonce);
    }
  }

  return {
    issue: (hostId) => {
      const expiry = Math.ceil(clock.monotonic() + NONCE_SECONDS * 1000);
      const body = `${expiry}_${random(16).toString('hex')}`;
      return `${body}_${seal(hostId, body)}`;
    },
    isGood,
    use: (hostId, nonce) => {
      if (!isGood(hostId, nonce)) return false;
      forgetExpired();
      used.set(nonce, clock.monotonic() + NONCE_SECONDS * 1000);
      return true;
    },
  };
}
