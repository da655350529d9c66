import type { Clock, IdSource, Logger, NsInstanceId, VnfInstanceId } from '../../kernel/index.ts';
import type { IoTServiceDescriptor } from '../../descriptors/index.ts';
import { IotmanoError } from '../../kernel/index.ts';
import type { Lifecycle } from '../lifecycle/index.ts';
import type { StateView, StoredRecord } from '../store/index.ts';
import { resolveService, type ResolvedService } from './resolve-service.ts';

/** What every part of the service lifecycle leans on. */
export interface ServicesContext {
  readonly state: StateView;
  /** The function lifecycle, which services drive. */
  readonly lifecycle: Lifecycle;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
}

/** The descriptor of a service instance. It cannot be deleted while it is in use. */
export function descriptorOf(
  { state }: Pick<ServicesContext, 'state'>,
  { document }: Pick<StoredRecord<'ns-instance'>, 'document'>,
): IoTServiceDescriptor {
  const descriptor = state.get('ns-descriptor', document.nsdInfoId)?.document.descriptor;
  if (descriptor === undefined)
    throw new IotmanoError(
      'internal',
      `the service descriptor ${document.nsdInfoId} is in use and is not there`,
    );
  return descriptor;
}

/**
 * The service as its instance was deployed: the same after any crash, and whatever became of the packages since, because descriptor,
 * parameters and the packages of its functions are stored.
 */
export function resolvedService(
  context: ServicesContext,
  record: Pick<StoredRecord<'ns-instance'>, 'document'>,
): ResolvedService {
  const { catalog } = context.lifecycle.context;
  const packages = new Map(
    constituentsOf(context, record).map((item) => [item.name, item.record.document.vnfPkgId]),
  );
  return resolveService(descriptorOf(context, record), record.document.parameters, ({ name }) => {
    const vnfPkgId = packages.get(name);
    return vnfPkgId === undefined ? undefined : catalog.find(vnfPkgId);
  });
}

export interface ConstituentRecord {
  readonly name: string;
  readonly vnfInstanceId: VnfInstanceId;
  readonly record: StoredRecord<'vnf-instance'>;
}

/** The function instances of a service, in order of name. */
export function constituentsOf(
  { state }: Pick<ServicesContext, 'state'>,
  { document }: Pick<StoredRecord<'ns-instance'>, 'document'>,
): readonly ConstituentRecord[] {
  return Object.entries(document.constituents)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, vnfInstanceId]) => {
      const record = state.get('vnf-instance', vnfInstanceId);
      return record === undefined ? [] : [{ name, vnfInstanceId, record }];
    });
}

export interface ActiveService {
  readonly nsInstanceId: NsInstanceId;
  readonly instance: StoredRecord<'ns-instance'>;
  readonly operation: StoredRecord<'ns-lcm-op-occ'>;
}

/** The operation that a service is busy with, if any. */
export function activeService(
  { state }: Pick<ServicesContext, 'state'>,
  nsInstanceId: NsInstanceId,
): ActiveService | undefined {
  const instance = state.get('ns-instance', nsInstanceId);
  const id = instance?.document.activeOpOcc;
  const operation = id === undefined ? undefined : state.get('ns-lcm-op-occ', id);
  return instance === undefined || operation === undefined
    ? undefined
    : { nsInstanceId, instance, operation };
}
