import type { HostFactsDocument, HostState } from '../domain/index.ts';

/** More than this part of a zone silent at once: the network is suspected, not the hosts. */
const BRAKE_FRACTION = 0.3;
/**
 * Fewer silent hosts than this never brake: one or two are taken for failures of hosts, so that a fleet of two or three heals.
 */
const BRAKE_MIN_SILENT = 3;

export interface ZoneMember {
  readonly zone: string;
  readonly state: HostState;
}

export interface ZoneCount {
  readonly heard: number;
  /** Of those heard. */
  readonly silent: number;
}

/** Hosts that fail together: label `zone`, else the infrastructure provider, else all that say neither. */
export function zoneOf(facts: HostFactsDocument | undefined): string {
  return facts?.labels['zone'] ?? facts?.infrastructureProvider ?? 'all';
}

/**
 * One host more in its zone, or with -1 one less. Counted are hosts that were heard: those given up (LOST) no longer speak for or against
 * the network, so that old wrecks do not brake for ever.
 */
export function countMember(zones: Map<string, ZoneCount>, { zone, state }: ZoneMember, sign: 1 | -1): void {
  if (state !== 'READY' && state !== 'DRAINING' && state !== 'SUSPECT') return;
  const { heard, silent } = zones.get(zone) ?? { heard: 0, silent: 0 };
  if (heard + sign === 0) zones.delete(zone);
  else zones.set(zone, { heard: heard + sign, silent: state === 'SUSPECT' ? silent + sign : silent });
}

/** Zones in which moves pause. */
export function computeBrakedZones(zones: ReadonlyMap<string, ZoneCount>): ReadonlySet<string> {
  const braked = [...zones].filter(
    ([, { heard, silent }]) => silent >= BRAKE_MIN_SILENT && silent > BRAKE_FRACTION * heard,
  );
  return new Set(braked.map(([zone]) => zone));
}
