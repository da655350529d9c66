import type { HostId } from '../../kernel/index.ts';
import type { FailureKind } from '../scenario/types.ts';
import type { Timeline } from './timeline.ts';

/** Who hears of a host that falls silent, and of one that is heard again. */
export interface PowerListener {
  down(hostId: HostId, kind: FailureKind): void;
  up(hostId: HostId, kind: FailureKind): void;
}

/** Which hosts are up in truth, whatever the orchestrator believes. */
export interface Power {
  isUp(hostId: HostId): boolean;
  readonly hostsDown: number;
  /** For so long; where two failures meet, the longer one counts, and `power` is the more thorough kind. */
  fail(hostId: HostId, kind: FailureKind, milliseconds: number): void;
  /** Whatever it was that failed. */
  restore(hostId: HostId): void;
  listen(listener: PowerListener): void;
}

interface Outage {
  kind: FailureKind;
  /** Elapsed time of the end of the failure that lasts longest. */
  until: number;
}

export function createPower(timeline: Timeline): Power {
  const outages = new Map<HostId, Outage>();
  const listeners: PowerListener[] = [];

  function end(hostId: HostId): void {
    const outage = outages.get(hostId);
    if (outage === undefined || outage.until > timeline.elapsedMilliseconds) return;
    restore(hostId);
  }

  function restore(hostId: HostId): void {
    const outage = outages.get(hostId);
    if (outage === undefined) return;
    outages.delete(hostId);
    for (const listener of listeners) listener.up(hostId, outage.kind);
  }

  return {
    isUp: (hostId) => !outages.has(hostId),
    get hostsDown() {
      return outages.size;
    },
    fail: (hostId, kind, milliseconds) => {
      const until = Math.ceil(timeline.elapsedMilliseconds + milliseconds);
      const known = outages.get(hostId);
      if (known === undefined) outages.set(hostId, { kind, until });
      else {
        if (kind === 'power') known.kind = kind;
        known.until = Math.max(known.until, until);
      }
      if (known === undefined || kind === 'power')
        for (const listener of listeners) listener.down(hostId, kind);
      timeline.at(until, () => end(hostId));
    },
    restore,
    listen: (listener) => void listeners.push(listener),
  };
}
