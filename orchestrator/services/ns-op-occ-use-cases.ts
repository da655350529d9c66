import { IotmanoError, type TenantId } from '../../kernel/index.ts';
import type { StoredRecord, Write } from '../store/index.ts';
import { activeService, type ActiveService, type ServicesContext } from './context.ts';
import type { NsLcmOpOccDocument } from '../domain/index.ts';
import {
  NEW_ATTEMPT,
  freed,
  isServiceEventAllowed,
  moveServiceOperation,
  updateService,
} from './operation-records.ts';

/** SOL005's tasks on NS LCM operation occurrences. In the wrong state they are refused with `conflict`. */
export interface NsOpOccUseCases {
  get(tenant: TenantId, id: string): StoredRecord<'ns-lcm-op-occ'>;
  list(tenant: TenantId): readonly StoredRecord<'ns-lcm-op-occ'>[];
  /** Functions whose operations failed are tried again; those that were refused are started anew. */
  retry(tenant: TenantId, id: string): void;
  continue(tenant: TenantId, id: string): void;
  /** Of an instantiation: what came up is terminated in reverse order. Of an update or a scaling: what was changed is changed back in reverse order. */
  rollback(tenant: TenantId, id: string): void;
  fail(tenant: TenantId, id: string): void;
  cancel(tenant: TenantId, id: string, mode: 'GRACEFUL' | 'FORCEFUL'): void;
}

export function createNsOpOccUseCases(context: ServicesContext): NsOpOccUseCases {
  const { clock, lifecycle, state } = context;
  const { commit } = lifecycle.context;

  function get(tenant: TenantId, id: string): StoredRecord<'ns-lcm-op-occ'> {
    const record = state.get('ns-lcm-op-occ', id);
    if (record === undefined || record.tenant !== tenant)
      throw new IotmanoError('not-found', `there is no NS LCM operation occurrence ${id}`);
    return record;
  }

  function find(tenant: TenantId, id: string): ActiveService {
    const operation = get(tenant, id);
    const active = activeService(context, operation.document.nsInstanceId);
    if (active === undefined || active.operation.id !== id)
      throw new IotmanoError('conflict', `operation ${id} is ${operation.document.state} and over`);
    return active;
  }

  const again = (tenant: TenantId, id: string, event: 'retry' | 'continue') =>
    commit([moveServiceOperation(clock, find(tenant, id).operation, event, NEW_ATTEMPT)]);

  return {
    get,
    list: (tenant) => [...state.list('ns-lcm-op-occ')].filter((record) => record.tenant === tenant),
    retry: (tenant, id) => again(tenant, id, 'retry'),
    continue: (tenant, id) => again(tenant, id, 'continue'),
    rollback: (tenant, id) => {
      const { operation } = find(tenant, id);
      const moved = moveServiceOperation(clock, operation, 'rollback', NEW_ATTEMPT);
      if (!canRollBackService(operation.document))
        throw new IotmanoError(
          'not-found',
          `a ${operation.document.operation} cannot be rolled back; retry operation ${id}, or fail it`,
        );
      commit([moved]);
    },
    fail: (tenant, id) => commit(failService(context, find(tenant, id))),
    cancel: (tenant, id, mode) => {
      const { operation } = find(tenant, id);
      moveServiceOperation(clock, operation, 'cancel');
      commit([
        {
          op: 'update',
          kind: 'ns-lcm-op-occ',
          id,
          expectedRevision: operation.revision,
          document: { ...operation.document, isCancelPending: true, cancelMode: mode },
        },
      ]);
    },
  };
}

/** Whether what an operation has done can be undone: a heal and a termination cannot. */
export function canRollBackService({
  operation,
  state,
}: Pick<NsLcmOpOccDocument, 'operation' | 'state'>): boolean {
  const isUndoable = operation !== 'HEAL' && operation !== 'TERMINATE';
  return isUndoable && isServiceEventAllowed(state, 'rollback');
}

/** FAILED_TEMP → FAILED. What came up stays; the service counts as instantiated, so that it can be terminated. */
function failService({ clock }: ServicesContext, { instance, operation }: ActiveService): readonly Write[] {
  return [
    moveServiceOperation(clock, operation, 'fail'),
    updateService(instance, { ...freed(instance.document), state: 'INSTANTIATED' }),
  ];
}
