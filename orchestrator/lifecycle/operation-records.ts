import {
  ERROR_TABLE,
  toTimestamp,
  transition,
  type ErrorCode,
  type LcmOpOccId,
  type TenantId,
  type VnfInstanceId,
} from '../../kernel/index.ts';
import {
  VNF_LCM_OPERATION,
  type LcmOperationEvent,
  type ProblemRecord,
  type VnfInstanceDocument,
  type VnfLcmOpOccDocument,
} from '../domain/index.ts';
import type { StoredRecord, Write } from '../store/index.ts';
import type { LifecycleContext } from './context.ts';

export type OperationUpdate = Extract<Write, { readonly kind: 'vnf-lcm-op-occ'; readonly op: 'update' }>;

/** The operation moved on by an event of its state machine. Refused events throw `illegal-transition`. */
export function moveOperation(
  context: LifecycleContext,
  { id, document, revision }: StoredRecord<'vnf-lcm-op-occ'>,
  event: LcmOperationEvent,
  changes: Partial<VnfLcmOpOccDocument> = {},
): OperationUpdate {
  const state = transition(VNF_LCM_OPERATION, document.state, event, `operation ${id}`);
  const { cancelMode: _cancelMode, error, ...rest } = document;
  return {
    op: 'update',
    kind: 'vnf-lcm-op-occ',
    id,
    expectedRevision: revision,
    document: {
      ...rest,
      // SOL003: the error of an earlier attempt stays until the operation has succeeded.
      ...(error === undefined || event === 'complete' ? {} : { error }),
      isCancelPending: false,
      ...changes,
      state,
      stateEnteredTime: toTimestamp(context.clock.now()),
    },
  };
}

export interface NewOperation {
  readonly operation: VnfLcmOpOccDocument['operation'];
  readonly operationParams: Readonly<Record<string, unknown>>;
  readonly isAutomaticInvocation?: boolean;
  readonly nsLcmOpOccId?: LcmOpOccId;
  readonly rollout?: VnfLcmOpOccDocument['rollout'];
  readonly configChange?: VnfLcmOpOccDocument['configChange'];
}

/** A new operation occurrence in STARTING, and the instance that is busy with it. */
export function startOperation(
  context: LifecycleContext,
  vnfInstanceId: VnfInstanceId,
  tenant: TenantId,
  record: StoredRecord<'vnf-instance'>,
  {
    operation,
    operationParams,
    isAutomaticInvocation = false,
    nsLcmOpOccId,
    rollout,
    configChange,
  }: NewOperation,
  changes: Partial<VnfInstanceDocument> = {},
): { readonly id: LcmOpOccId; readonly writes: readonly Write[] } {
  const id = context.ids.uuid() as LcmOpOccId;
  const now = toTimestamp(context.clock.now());
  const document: VnfLcmOpOccDocument = {
    vnfInstanceId,
    operation,
    state: 'STARTING',
    startTime: now,
    stateEnteredTime: now,
    isAutomaticInvocation,
    operationParams,
    isCancelPending: false,
    ...(nsLcmOpOccId === undefined ? {} : { nsLcmOpOccId }),
    ...(rollout === undefined ? {} : { rollout }),
    ...(configChange === undefined ? {} : { configChange }),
  };
  return {
    id,
    writes: [
      { op: 'create', kind: 'vnf-lcm-op-occ', id, tenant, document },
      updateInstance(record, { ...record.document, ...changes, activeOpOcc: id }),
    ],
  };
}

export function updateInstance(
  { id, revision }: StoredRecord<'vnf-instance'>,
  document: VnfInstanceDocument,
): Write {
  return { op: 'update', kind: 'vnf-instance', id, expectedRevision: revision, document };
}

/** The instance with its operation over. */
export function withoutOperation(instance: VnfInstanceDocument): VnfInstanceDocument {
  const { activeOpOcc: _activeOpOcc, ...rest } = instance;
  return rest;
}

/**
 * The instance as it was created: nothing is left of its instantiation but the count of generations. What a service has decided for
 * its function (bindings, coverage) stays: the service may instantiate it again.
 */
export function asCreated(instance: VnfInstanceDocument): VnfInstanceDocument {
  const {
    activeOpOcc: _activeOpOcc,
    flavour: _flavour,
    level: _level,
    reservation: _reservation,
    withdrawn: _withdrawn,
    displaced: _displaced,
    generation: _generation,
    replaced: _replaced,
    withheld: _withheld,
    coverage,
    ...rest
  } = instance;
  const isOfService = instance.nsInstanceId !== undefined;
  return {
    ...rest,
    ...(isOfService && coverage !== undefined ? { coverage } : {}),
    instantiationState: 'NOT_INSTANTIATED',
    wanted: [],
    config: {},
    constraints: {},
    bind: isOfService ? instance.bind : {},
    credentials: {},
  };
}

export function problemRecord(code: ErrorCode, detail: string): ProblemRecord {
  const { status, title } = ERROR_TABLE[code];
  return { status, title, detail, code };
}
