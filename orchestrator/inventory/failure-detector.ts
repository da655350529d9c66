import { messageOf, type Clock, type HostId, type Logger } from '../../kernel/index.ts';
import { isStanding } from '../domain/index.ts';
import type { Revision, StateStore, StoredRecord, Write } from '../store/index.ts';
import { computeBrakedZones, zoneOf, type ZoneCount } from './brake.ts';
import { LONGEST_LEASE_SECONDS } from './heartbeat.ts';
import { clearAlarm, raiseAlarm } from './host-alarms.ts';
import { applyHostEvent } from './host-events.ts';
import type { Leases } from './leases.ts';
import { createZoneCensus } from './zone-census.ts';

const JUDGE_EVERY_MILLISECONDS = 250;
/** Small commits: a fleet that falls silent must not hold up everybody else's writes. */
const WRITES_PER_COMMIT = 500;

const NOTHING_BRAKED: ReadonlySet<string> = new Set();

export interface FailureDetector {
  /** Judges every host once: lapsed leases, brakes, hosts given up. */
  judge(): void;
  isBraked(hostId: HostId): boolean;
  /** Judges until the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

export interface FailureDetectorOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly leases: Leases;
  readonly log: Logger;
  /** Default 250. */
  readonly judgeEveryMilliseconds?: number | undefined;
}

export function createFailureDetector(options: FailureDetectorOptions): FailureDetector {
  const { store, clock, leases, log, judgeEveryMilliseconds = JUDGE_EVERY_MILLISECONDS } = options;
  /** As the leader before left it, until the first judgement. */
  let braked = standingBrakes(store);

  /** Braked zones of which enough hosts are heard again, since when; monotonic. */
  const returningSince = new Map<string, number>();
  const census = createZoneCensus(store);
  const zone = (hostId: string): string => zoneOf(store.get('host-facts', hostId)?.document);

  /** The last look, where it found nobody silent; and when the next lease ends that held then, monotonic. */
  let quiet:
    { readonly revision: Revision; readonly shortenings: number; readonly until: number } | undefined;

  /** Whether a look would find what the last one has found: nobody. */
  function isQuiet(): boolean {
    if (quiet === undefined || clock.monotonic() > quiet.until) return false;
    if (leases.shortenings !== quiet.shortenings) return false;
    const changed = store.changedSince('host', quiet.revision);
    return changed !== 'too-old' && changed.length === 0;
  }

  /** The hosts that are SUSPECT, after those whose lease has lapsed have become so. */
  function suspectLapsed(): StoredRecord<'host'>[] {
    if (isQuiet()) return [];
    const lapsed: StoredRecord<'host'>[] = [];
    const suspects: string[] = [];
    const now = clock.monotonic();
    const { shortenings } = leases;
    let until = Number.POSITIVE_INFINITY;
    for (const record of store.list('host')) {
      const { state } = record.document;
      if (state === 'SUSPECT') suspects.push(record.id);
      if (state !== 'READY' && state !== 'DRAINING') continue;
      const lapsesAt = leases.lapsesAt(record.id as HostId);
      if (now > lapsesAt) lapsed.push(record);
      else until = Math.min(until, lapsesAt);
    }
    const isNobodySilent = lapsed.length === 0 && suspects.length === 0;
    quiet = isNobodySilent ? { revision: store.acceptedRevision, shortenings, until } : undefined;
    commitInParts(
      store,
      lapsed.map((record) => updateOf(record, 'lapsed', clock.now())),
    );
    for (const { id } of lapsed) log.warn({ hostId: id }, 'lease of host has lapsed');
    return [...suspects, ...lapsed.map(({ id }) => id)].flatMap((id) => store.get('host', id) ?? []);
  }

  /** A network comes back for one host after the other: the rest of a zone that was braked gets the time to be heard, too. */
  function brakedZones(zones: ReadonlyMap<string, ZoneCount>): ReadonlySet<string> {
    const next = new Set(computeBrakedZones(zones));
    for (const name of next) returningSince.delete(name);
    const now = clock.monotonic();
    for (const name of braked) {
      if (next.has(name) || (zones.get(name)?.silent ?? 0) === 0) continue;
      const since = returningSince.get(name) ?? now;
      returningSince.set(name, since);
      if (now - since < LONGEST_LEASE_SECONDS * 1000) next.add(name);
    }
    return next;
  }

  function applyBrakes(suspects: number): void {
    const next = suspects === 0 ? NOTHING_BRAKED : brakedZones(census());
    const begun = [...next].filter((name) => !braked.has(name));
    const ended = [...braked].filter((name) => !next.has(name));
    const now = clock.now();
    commitInParts(store, [
      ...begun.flatMap((name) =>
        raiseAlarm(store, 'network-suspected', { zone: name }, brakeText(name), now),
      ),
      ...ended.flatMap((name) => clearAlarm(store, 'network-suspected', { zone: name }, now)),
    ]);
    for (const name of begun) log.error({ zone: name }, 'moves pause: the network is suspected');
    for (const name of ended) {
      returningSince.delete(name);
      log.info({ zone: name }, 'moves go on');
    }
    braked = next;
  }

  function giveUp(suspects: readonly StoredRecord<'host'>[]): void {
    const lost = suspects.filter(({ id }) => {
      const hostId = id as HostId;
      if (braked.has(zone(id)) || !leases.hasLapsed(hostId)) return false;
      return leases.silentForMilliseconds(hostId) > leases.terms(hostId).patienceSeconds * 1000;
    });
    const writes = lost.flatMap((record) => {
      const hostId = record.id as HostId;
      log.error({ hostId }, 'host is lost');
      const text = `host ${hostId} has been silent for longer than every function on it bears`;
      return [
        updateOf(record, 'givenUp', clock.now()),
        ...raiseAlarm(store, 'host-lost', { hostId }, text, clock.now()),
      ];
    });
    commitInParts(store, writes);
  }

  function judge(): void {
    const suspects = suspectLapsed();
    if (suspects.length > 0 || braked.size > 0) applyBrakes(suspects.length);
    giveUp(suspects);
  }

  return {
    judge,
    isBraked: (hostId) => {
      if (braked.size === 0 || store.get('host', hostId)?.document.state === 'LOST') return false;
      return braked.has(zone(hostId));
    },
    run: async (signal) => {
      while (!signal.aborted) {
        try {
          judge();
        } catch (error) {
          log.error({ err: error }, `hosts could not be judged: ${messageOf(error)}`);
        }
        await clock.sleep(judgeEveryMilliseconds, signal);
      }
    },
  };
}

function updateOf(record: StoredRecord<'host'>, event: 'lapsed' | 'givenUp', now: number): Write {
  const { id, revision, document } = record;
  return {
    op: 'update',
    kind: 'host',
    id,
    expectedRevision: revision,
    document: applyHostEvent(document, event, id as HostId, now),
  };
}

function commitInParts(store: StateStore, writes: readonly Write[]): void {
  for (let start = 0; start < writes.length; start += WRITES_PER_COMMIT)
    store.commit(writes.slice(start, start + WRITES_PER_COMMIT));
}

/** Zones whose alarm stands. */
function standingBrakes(store: StateStore): ReadonlySet<string> {
  const zones = new Set<string>();
  for (const { document } of store.list('alarm'))
    if (document.name === 'network-suspected' && isStanding(document)) zones.add(document.source.zone ?? '');
  return zones;
}

function brakeText(zone: string): string {
  return `over 30 % of the hosts of zone ${zone} fell silent at once: the network is suspected, and nothing is moved from there until they are back or given up by an operator`;
}
