import type { WorkloadUsage } from '../contract.ts';
import type { Cgroups } from './cgroups.ts';
import type { HostedWorkload } from './hosted-workload.ts';
import type { ProcessScanner } from './leftovers.ts';
import { residentBytes } from './system.ts';

/** What the running instances use: CPU time from `/proc`, memory from the cgroup where there is one. */
export async function measureUsage(
  hosted: HostedWorkload,
  cgroups: Cgroups,
  scanner: ProcessScanner,
): Promise<WorkloadUsage> {
  const running = hosted.slots.filter((slot) => slot.run !== undefined);
  if (running.length === 0) return { instances: [] };
  const processes = await scanner.scan();
  const instances = await Promise.all(
    running.map(async (slot) => {
      const observed = slot.observe();
      const own = processes.filter((process) => process.session === slot.run?.program.pid);
      const inGroup = await cgroups.memoryBytes(slot.name);
      return {
        slot: observed.slot,
        cpuSeconds: own.reduce((sum, process) => sum + process.cpuSeconds, 0),
        // Nothing is charged to a group at first: what a program touched before it came there counts elsewhere.
        memoryBytes: inGroup || own.reduce((sum, process) => sum + residentBytes(process.pid), 0),
        restarts: observed.restarts,
      };
    }),
  );
  return { instances };
}
