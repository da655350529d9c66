import type { HostId, VnfcInstanceId } from '../../kernel/index.ts';
import { instanceId, instanceName, workloadId, type WorkloadKey } from '../../vim-drivers/index.ts';
import type { WantedUnit, WantedVnfc } from './documents.ts';

/** Id of the assignment record of a workload on a host, and of the observed record that answers it. */
export function assignmentId(hostId: HostId, key: WorkloadKey): string {
  return `${hostId}.${workloadId(key)}`;
}

/** The host that an assignment record, or an observed record, belongs to. */
export function hostIdOf(assignmentId: string): HostId {
  return assignmentId.slice(0, assignmentId.indexOf('.')) as HostId;
}

/** The same slot on another host is another VNFC instance. */
export function vnfcInstanceId(hostId: HostId, key: WorkloadKey, slot: number): VnfcInstanceId {
  return instanceId(hostId, instanceName(key, slot));
}

/** Which copy, whatever its epoch: the same slot on another host is another one. */
export function copyName({ hostId, unit, generation, slot }: Omit<WantedVnfc, 'epoch'>): string {
  return `${hostId}/${unit}-g${generation}-${slot}`;
}

/** All copies that are wanted, in order of unit, slot and host. */
export function wantedVnfcs(wanted: readonly WantedUnit[]): readonly WantedVnfc[] {
  return wanted
    .flatMap(({ unit, generation, hosts }) =>
      hosts.flatMap(({ hostId, instances }) =>
        instances.map(({ slot, epoch }) => ({ unit, generation, hostId, slot, epoch })),
      ),
    )
    .toSorted((a, b) => compareText(a.unit, b.unit) || a.slot - b.slot || compareText(a.hostId, b.hostId));
}

/** The wanted units that hold these copies: the inverse of `wantedVnfcs`, in one canonical order. */
export function toWantedUnits(copies: readonly WantedVnfc[]): readonly WantedUnit[] {
  const byUnit = Map.groupBy(copies, ({ unit, generation }) => `${unit} ${generation}`);
  return [...byUnit.values()]
    .flatMap((ofUnit) => {
      const [first] = ofUnit;
      return first === undefined
        ? []
        : [{ unit: first.unit, generation: first.generation, hosts: toHosts(ofUnit) }];
    })
    .toSorted((a, b) => compareText(a.unit, b.unit) || a.generation - b.generation);
}

function toHosts(copies: readonly WantedVnfc[]): WantedUnit['hosts'] {
  return [...Map.groupBy(copies, ({ hostId }) => hostId)]
    .map(([hostId, onHost]) => ({
      hostId,
      instances: onHost.map(({ slot, epoch }) => ({ slot, epoch })).toSorted((a, b) => a.slot - b.slot),
    }))
    .toSorted((a, b) => compareText(a.hostId, b.hostId));
}

/** Order of code units: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
