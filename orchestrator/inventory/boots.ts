import type { HostDocument } from '../domain/index.ts';

type Boots = HostDocument['boots'];

const REMEMBERED_BOOTS = 8;

/** The boots after one of them has opened a session. The same boot again in a row is one entry, with its newest counter. */
export function addBoot(boots: Boots, bootId: string, counter: number): Boots {
  const others = boots.at(-1)?.bootId === bootId ? boots.slice(0, -1) : boots;
  return [...others, { bootId, counter }].slice(-REMEMBERED_BOOTS);
}

/** The highest counter that a boot id has shown. */
export function highestCounter(boots: Boots, bootId: string): number {
  return Math.max(0, ...boots.filter((boot) => boot.bootId === bootId).map(({ counter }) => counter));
}

/**
 * Whether two machines use one identity: two boot ids that each came back after the other. A restarted agent never comes back under an
 * old boot id; one late message of the old one is forgiven.
 */
export function isDisputed(boots: Boots): boolean {
  const [first, second, third, fourth] = boots.slice(-4).map(({ bootId }) => bootId);
  return fourth !== undefined && first === third && second === fourth && first !== second;
}
