import { workloadId, type WorkloadKey } from '../contract.ts';
import type { Engine } from './engine.ts';
import {
  FUNCTION_LABEL,
  INSTANCE_LABEL,
  KIND_LABEL,
  SLOT_LABEL,
  UNIT_LABEL,
  WORKLOAD_LABEL,
} from './labels.ts';
import type { Networks } from './networks.ts';
import { listVolumes, removeVolume } from './notes.ts';

/**
 * Removes what an earlier driver has left that was ended between two steps: volumes of instances that have no container, networks of nobody. Another
 * driver that is just making such an instance makes them again.
 * @param isKnown whether a slot of that name is looked after
 */
export async function sweepOrphans(
  engine: Engine,
  scope: string,
  networks: Networks,
  isKnown: (instance: string) => boolean,
): Promise<void> {
  for (const { name, labels } of await listVolumes(engine, scope, {})) {
    const isOfInstance = ['directory', 'ephemeral', 'note'].includes(labels[KIND_LABEL] ?? '');
    if (isOfInstance && !isKnown(labels[INSTANCE_LABEL] ?? '')) await removeVolume(engine, name);
  }
  await networks.sweep();
}

/** Removes what is left of a workload whose slots are gone; kept volumes stay. */
export async function removeLeftVolumes(engine: Engine, scope: string, key: WorkloadKey): Promise<void> {
  const own = await listVolumes(engine, scope, { [WORKLOAD_LABEL]: workloadId(key) });
  const left = own.filter(({ labels }) => labels[KIND_LABEL] !== 'kept');
  await Promise.all(left.map(({ name }) => removeVolume(engine, name)));
}

/** Removes the kept volumes of a unit, of all its generations, but those of slots that are in use. */
export async function removeKeptVolumes(
  engine: Engine,
  scope: string,
  { vnfInstanceId, unit }: WorkloadKey,
  slotsInUse: ReadonlySet<string>,
): Promise<void> {
  const labels = { [KIND_LABEL]: 'kept', [FUNCTION_LABEL]: vnfInstanceId, [UNIT_LABEL]: unit };
  const kept = await listVolumes(engine, scope, labels);
  const unused = kept.filter((volume) => !slotsInUse.has(volume.labels[SLOT_LABEL] ?? ''));
  await Promise.all(unused.map(({ name }) => removeVolume(engine, name)));
}
