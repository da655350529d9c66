import { IotmanoError } from '../../kernel/index.ts';
import type { VnfInstanceDocument } from '../domain/index.ts';
import type { StateView, StoredRecord } from '../store/index.ts';

export function requireInstantiable(record: StoredRecord<'vnf-instance'>): void {
  requireFree(record);
  requireState(record, 'NOT_INSTANTIATED', 'instantiated');
}

/** One operation at a time. */
export function requireFree({ document }: StoredRecord<'vnf-instance'>): void {
  if (document.activeOpOcc !== undefined)
    throw new IotmanoError(
      'conflict',
      `${document.name} is busy with operation ${document.activeOpOcc}; wait for it, or end it`,
      { vnfLcmOpOccId: document.activeOpOcc },
    );
}

export function requireState(
  { document }: StoredRecord<'vnf-instance'>,
  wanted: VnfInstanceDocument['instantiationState'],
  what: string,
): void {
  if (document.instantiationState !== wanted)
    throw new IotmanoError(
      'conflict',
      `${document.name} is ${document.instantiationState} and can be ${what} only when it is ${wanted}`,
    );
}

/** A function of a service comes and goes with it. */
export function requireOwn({ document }: StoredRecord<'vnf-instance'>, what: string): void {
  if (document.nsInstanceId !== undefined)
    throw new IotmanoError(
      'conflict',
      `${document.name} is part of the service ${document.nsInstanceId} and is ${what} with it`,
      { nsInstanceId: document.nsInstanceId },
    );
}

/**
 * The update of a service decides of which version the functions are that it names, its scaling how many instances they have, and both whether they go back.
 * @throws IotmanoError `conflict` while there is one
 */
export function requireNotInServiceOperation(
  state: StateView,
  { id, document: { name, nsInstanceId, constituent } }: StoredRecord<'vnf-instance'>,
): void {
  const active =
    nsInstanceId === undefined ? undefined : state.get('ns-instance', nsInstanceId)?.document.activeOpOcc;
  const operation = active === undefined ? undefined : state.get('ns-lcm-op-occ', active)?.document;
  if (operation === undefined) return;
  const { changeVnfPackageData = [] } = operation.operationParams as {
    readonly changeVnfPackageData?: readonly { readonly vnfInstanceId: string }[];
  };
  const isUpdated = changeVnfPackageData.some(({ vnfInstanceId }) => vnfInstanceId === id);
  const isScaled =
    constituent !== undefined && Object.hasOwn(operation.scaling?.functions ?? {}, constituent);
  if (isUpdated || isScaled)
    throw new IotmanoError(
      'conflict',
      `${name} is changed by the ${isUpdated ? 'update' : 'scaling'} ${active} of its service; wait until that is over, or fail it`,
    );
}
