import type { NsInstanceId } from '../../kernel/index.ts';
import type { IoTFunctionDescriptor, IoTServiceDescriptor } from '../../descriptors/index.ts';
import type { NsInstanceDocument, VnfInstanceDocument } from '../domain/index.ts';
import type { PlacementRule } from '../placement/index.ts';
import type { StateView } from '../store/index.ts';

interface Service {
  readonly service?: NsInstanceDocument;
  readonly descriptor?: IoTServiceDescriptor;
}

function serviceOf(state: StateView, nsInstanceId: NsInstanceId | undefined): Service {
  const service = nsInstanceId === undefined ? undefined : state.get('ns-instance', nsInstanceId)?.document;
  if (service === undefined) return {};
  const descriptor = state.get('ns-descriptor', service.nsdInfoId)?.document.descriptor;
  return descriptor === undefined ? { service } : { service, descriptor };
}

/** The placement rules of a service, over the instances of its constituents. */
export function rulesOfService(
  state: StateView,
  nsInstanceId: NsInstanceId | undefined,
): readonly PlacementRule[] {
  const { service, descriptor } = serviceOf(state, nsInstanceId);
  return (descriptor?.placement ?? []).map(({ type, functions, scope, weight }) => ({
    type,
    scope,
    ...(weight === undefined ? {} : { weight }),
    functionIds: functions.flatMap((name) => service?.constituents[name] ?? []),
  }));
}

type ServiceUpgrade = NonNullable<IoTServiceDescriptor['upgrade']>;

/** What the service of a function that covers hosts says of its changes of version, over what its own descriptor says. */
export function upgradeOfService(
  state: StateView,
  instance: Pick<VnfInstanceDocument, 'nsInstanceId' | 'coverage'>,
): Omit<ServiceUpgrade, 'bitsPerSecond'> {
  const { bitsPerSecond: _bitsPerSecond, ...upgrade } = coveringUpgrade(state, instance);
  return upgrade;
}

/** At which each host fetches files of the function at most: as its service says, else as its own version says. */
export function fetchLimitOf(
  state: StateView,
  instance: Pick<VnfInstanceDocument, 'nsInstanceId' | 'coverage'>,
  { upgrade }: IoTFunctionDescriptor,
): number | undefined {
  return coveringUpgrade(state, instance).bitsPerSecond ?? upgrade.bitsPerSecond;
}

function coveringUpgrade(
  state: StateView,
  { nsInstanceId, coverage }: Pick<VnfInstanceDocument, 'nsInstanceId' | 'coverage'>,
): ServiceUpgrade {
  return (coverage === undefined ? undefined : serviceOf(state, nsInstanceId).descriptor?.upgrade) ?? {};
}
