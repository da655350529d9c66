import type { HostId } from '../../kernel/index.ts';
import type { IoTFunctionDescriptor } from '../../descriptors/index.ts';
import type { StateView } from '../store/index.ts';

/** What the inventory knows of a host's lease. Time is monotonic. */
export interface Liveness {
  /** Since the last renewal; counted from the leader's start where the host was not heard since. */
  silentForMilliseconds(hostId: HostId): number;
  /** The lease that it was granted holds: so far it has done what it was told, and its silence says nothing. */
  hasLease(hostId: HostId): boolean;
  /** Too many hosts fell silent at once: the network is suspected, and nothing is moved. */
  isBraked(hostId: HostId): boolean;
  /**
   * The hosts that can be lost to any function: every enrolled one without a lease is among them, at the latest when failure detection has
   * judged it once. What looks for lost hosts does not have to ask about each.
   */
  suspectedHosts(): Iterable<HostId>;
}

/** What a host is to one function, by the function's own patience. */
export interface HostVerdict {
  /** Silent for longer than the function bears: its copies there are LOST. */
  readonly isLost: boolean;
  /** Its copies there may be placed elsewhere: lost, not braked, allowed by the descriptor, and fenced where there is one writer. */
  readonly isAbandoned: boolean;
}

const NOT_LOST: HostVerdict = { isLost: false, isAbandoned: false };
/** Between the end of the dead-man's delay and the certainty that the copy has been killed. */
const FENCE_MARGIN_SECONDS = 2;

/**
 * Judges a host for one function. A host that is not (or no longer) enrolled runs nothing of ours.
 * A single writer is fenced once its dead-man's delay and the grace of its stop have safely passed; on a VIM, which has no such rule, never.
 */
export function judgeHost(
  state: StateView,
  liveness: Liveness,
  descriptor: IoTFunctionDescriptor,
  hostId: HostId,
): HostVerdict {
  const mayMove = descriptor.offline.relocate === 'allowed';
  const host = state.get('host', hostId)?.document;
  if (host === undefined) return { isLost: true, isAbandoned: mayMove };
  // A host that runs nothing impatient yet is told to be heard seldom. This is asked of all hosts of all functions, and most have a lease.
  if (liveness.hasLease(hostId)) return NOT_LOST;
  const silentSeconds = liveness.silentForMilliseconds(hostId) / 1000;
  const isSilent = silentSeconds > descriptor.healing.lostAfterSeconds;
  const isLost = isSilent && !liveness.isBraked(hostId);
  // A VIM that is cut off goes on for ever: nobody there counts how long.
  const isFenced = host.vimId === undefined && silentSeconds > fenceSeconds(descriptor);
  return {
    isLost,
    isAbandoned: isLost && mayMove && (!isSingleWriter(descriptor) || isFenced),
  };
}

function fenceSeconds({ offline, units }: IoTFunctionDescriptor): number {
  if (offline.onDisconnect !== 'stop-after' || offline.stopAfterSeconds === undefined) return Infinity;
  const graceSeconds = Math.max(0, ...units.map(({ stop }) => stop.graceSeconds));
  return offline.stopAfterSeconds + graceSeconds + FENCE_MARGIN_SECONDS;
}

/** Whether two copies at once would harm: it says so, or it keeps a volume. */
export function isSingleWriter(descriptor: IoTFunctionDescriptor): boolean {
  return (
    descriptor.state.writers === 'single' ||
    descriptor.units.some(({ volumes }) => volumes.some(({ keep }) => keep))
  );
}
