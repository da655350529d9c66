import type { Engine } from './engine.ts';
import { INSTANCE_LABEL, KIND_LABEL } from './labels.ts';
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
