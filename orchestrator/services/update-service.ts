import { IotmanoError } from '../../kernel/index.ts';
import type { NsLcmOpOccDocument, RolloutRecord, VnfLcmOpOccDocument } from '../domain/index.ts';
import { packageOf, parseChange, reversedRollout, type ChangeVnfPkg } from '../lifecycle/index.ts';
import type { StoredRecord } from '../store/index.ts';
import {
  constituentsOf,
  type ActiveService,
  type ConstituentRecord,
  type ServicesContext,
} from './context.ts';

/** Part of SOL005 UpdateNsRequest: packages are changed, nothing else. */
export interface UpdateNs {
  readonly updateType: 'CHANGE_VNFPKG';
  readonly changeVnfPackageData: readonly (ChangeVnfPkg & { readonly vnfInstanceId: string })[];
}

type Instance = StoredRecord<'ns-instance'>;

/**
 * Checks that every function that is named can go to the version that is named for it, before anything is touched.
 * @throws IotmanoError `unprocessable` or `conflict`
 */
export function requireUpdatable(context: ServicesContext, record: Instance, request: UpdateNs): void {
  const constituents = constituentsOf(context, record);
  const named = new Set<string>();
  for (const data of request.changeVnfPackageData) {
    const found = constituents.find(({ vnfInstanceId }) => vnfInstanceId === data.vnfInstanceId);
    if (found === undefined)
      throw new IotmanoError(
        'unprocessable',
        `${record.document.name} has no function ${data.vnfInstanceId}`,
      );
    if (named.has(found.name))
      throw new IotmanoError('unprocessable', `changeVnfPackageData names ${found.name} more than once`);
    named.add(found.name);
    parseChange(context.lifecycle.context, found.record, requestOf(data));
  }
}

/** What the update asks of one function. */
export function changeRequestOf({ operation }: ActiveService, constituent: ConstituentRecord): ChangeVnfPkg {
  const data = dataOf(operation.document, constituent);
  if (data === undefined) throw new IotmanoError('internal', `the update does not name ${constituent.name}`);
  return requestOf(data);
}

function requestOf({
  vnfdId,
  vnfConfigurableProperties,
  additionalParams,
}: UpdateNs['changeVnfPackageData'][number]): ChangeVnfPkg {
  return {
    vnfdId,
    ...(vnfConfigurableProperties === undefined ? {} : { vnfConfigurableProperties }),
    additionalParams: { cause: 'the service is being updated', ...additionalParams },
  };
}

function dataOf(
  { operationParams }: Pick<NsLcmOpOccDocument, 'operationParams'>,
  { vnfInstanceId }: ConstituentRecord,
): UpdateNs['changeVnfPackageData'][number] | undefined {
  const { changeVnfPackageData = [] } = operationParams as unknown as Partial<UpdateNs>;
  return changeVnfPackageData.find((each) => each.vnfInstanceId === vnfInstanceId);
}

/** How far one function is: `done` when it is of the version that the update names, and of no other. Undefined: the update does not name it. */
export function updateStateOf(
  { lifecycle }: ServicesContext,
  operation: Pick<NsLcmOpOccDocument, 'operation' | 'operationParams'>,
  constituent: ConstituentRecord,
): 'open' | 'done' | undefined {
  const data = operation.operation === 'UPDATE' ? dataOf(operation, constituent) : undefined;
  if (data === undefined) return undefined;
  const { vnfPkgId, replaced, activeOpOcc } = constituent.record.document;
  const { id } = packageOf(lifecycle.context.catalog, vnfPkgId).descriptor.metadata;
  return id === data.vnfdId && replaced === undefined && activeOpOcc === undefined ? 'done' : 'open';
}

/** The change that this update has made of a function, the other way round. */
export function changeBackOf(
  { lifecycle }: ServicesContext,
  { operation }: ActiveService,
  { vnfInstanceId, record, name }: ConstituentRecord,
): RolloutRecord {
  const { state, index } = lifecycle.context;
  const isIts = (each: VnfLcmOpOccDocument | undefined): boolean =>
    each?.nsLcmOpOccId === operation.id &&
    each.state === 'COMPLETED' &&
    each.rollout?.target.vnfPkgId === record.document.vnfPkgId;
  const made = index
    .operationsOf(vnfInstanceId)
    .map((id) => state.get('vnf-lcm-op-occ', id)?.document)
    .find(isIts);
  if (made?.rollout === undefined)
    throw new IotmanoError('internal', `nothing is known of how ${name} came to its version`);
  return reversedRollout(record.document, made.rollout);
}
