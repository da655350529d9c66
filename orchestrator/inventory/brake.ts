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

/** Hosts that fail together: label `zone`, else the infrastructure provider, else all that say neither. */
export function zoneOf(facts: HostFactsDocument | undefined): string {
  return facts?.labels['zone'] ?? facts?.infrastructureProvider ?? 'all';
}

/**
 * Zones in which moves pause. Counted are hosts that were heard: those given up (LOST) no longer speak for or against the network,
 * so that old wrecks do not brake for ever.
 */
export function computeBrakedZones(members: Iterable<ZoneMember>): ReadonlySet<string> {
  const zones = new Map<string, { heard: number; silent: number }>();
  for (const { zone, state } of members) {
    if (state !== 'READY' && state !== 'DRAINING' && state !== 'SUSPECT') continue;
    const counts = zones.get(zone) ?? { heard: 0, silent: 0 };
    zones.set(zone, counts);
    counts.heard += 1;
    if (state === 'SUSPECT') counts.silent += 1;
  }
  const braked = [...zones].filter(
    ([, { heard, silent }]) => silent >= BRAKE_MIN_SILENT && silent > BRAKE_FRACTION * heard,
  );
  return new Set(braked.map(([zone]) => zone));
}
