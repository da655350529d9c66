import type { NsInstanceId } from '../../kernel/index.ts';
import type { PlacementRule } from '../placement/index.ts';
import type { StateView } from '../store/index.ts';

/** The placement rules of a service, over the instances of its constituents. */
export function rulesOfService(
  state: StateView,
  nsInstanceId: NsInstanceId | undefined,
): readonly PlacementRule[] {
  const service = nsInstanceId === undefined ? undefined : state.get('ns-instance', nsInstanceId)?.document;
  const descriptor =
    service === undefined ? undefined : state.get('ns-descriptor', service.nsdInfoId)?.document.descriptor;
  return (descriptor?.placement ?? []).map(({ type, functions, scope, weight }) => ({
    type,
    scope,
    ...(weight === undefined ? {} : { weight }),
    functionIds: functions.flatMap((name) => service?.constituents[name] ?? []),
  }));
}
