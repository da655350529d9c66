import type { Clock } from '../../kernel/index.ts';
import type { Layout } from './layout.ts';
import { readIfThere, replaceOrOverwriteFile } from './state-files.ts';
import { uptimeCentiseconds } from './system.ts';

/**
 * The host's lease as the dead-man's shell sees it: a file with boot id and uptime (hundredths of a second) of the last renewal.
 * Uptime counts sleep of the machine too, and nobody can set it.
 */
export interface LeaseFile {
  renew(sentAtMonotonic: number | undefined): Promise<void>;
  /** Milliseconds until a workload with that patience must be dead; negative when it is past. */
  remainingMilliseconds(stopAfterSeconds: number): number;
}

export async function openLeaseFile(layout: Layout, clock: Clock, bootId: string): Promise<LeaseFile> {
  const [leasedBoot, stored] = ((await readIfThere(layout.leaseFile)) ?? '').trim().split(' ');
  let renewedAt = leasedBoot === bootId ? Number(stored) || 0 : 0;
  // How far uptime, which counts sleep, is ahead of the clock, which need not.
  const aheadNow = (): number => uptimeCentiseconds() - clock.monotonic() / 10;
  let ahead = aheadNow();
  return {
    async renew(sentAtMonotonic) {
      const now = clock.monotonic();
      const age = Math.max(0, now - (sentAtMonotonic ?? now));
      // If the machine slept since the last renewal, this one may have been sent before it did.
      const slept = Math.max(0, aheadNow() - ahead);
      ahead = aheadNow();
      // Rounded away from the future: too short a lease is only a nuisance.
      const at = Math.floor(uptimeCentiseconds() - age / 10 - (slept > 100 ? slept : 0)) - 1;
      if (at <= renewedAt) return;
      renewedAt = at;
      // On a full disk, too: else the dead-man's shells would stop what the orchestrator still counts on.
      await replaceOrOverwriteFile(layout.leaseFile, `${bootId} ${at}\n`);
    },
    remainingMilliseconds: (stopAfterSeconds) =>
      renewedAt === 0 ? -1 : (renewedAt - uptimeCentiseconds()) * 10 + stopAfterSeconds * 1000,
  };
}

/** How long before the end the stop signal comes: the end itself is a promise, so the grace lies inside it. */
export function deadmanGraceSeconds(stopAfterSeconds: number, graceSeconds: number): number {
  return Math.min(graceSeconds, stopAfterSeconds / 4);
}
