import type { VnfInstanceDocument } from '../../domain/index.ts';
import type { LifecycleContext } from '../context.ts';
import { unconfirmedHosts } from './observe-rollout.ts';
import type { RolloutInput } from './rollout-types.ts';

/** What a change of version waits for, in words. */
export function describeWaiting(
  context: LifecycleContext,
  document: VnfInstanceDocument,
  { copies, leaving }: RolloutInput,
): string {
  const what = [
    ...copies
      .filter(({ isOld, health }) => !isOld && health !== 'well')
      .map(({ copy, health }) => `${copy.unit}-${copy.slot} on ${copy.hostId} is ${health}`),
    ...copies
      .filter(({ isWithheld }) => isWithheld)
      .map(({ copy }) => `those who are bound to it still use ${copy.unit}-${copy.slot} on ${copy.hostId}`),
    ...leaving.map(({ unit, slot, hostId }) => `${unit}-${slot} leaves ${hostId}`),
    ...unconfirmedHosts(context, document).map(
      (hostId) => `${hostId} has not confirmed yet that what is to go there is gone`,
    ),
  ];
  return what.slice(0, 5).join('; ');
}
