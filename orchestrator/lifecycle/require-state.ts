import { IotmanoError } from '../../kernel/index.ts';
import type { VnfInstanceDocument } from '../domain/index.ts';
import type { StoredRecord } from '../store/index.ts';

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
