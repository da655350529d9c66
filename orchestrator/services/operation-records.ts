import {
  toTimestamp,
  transition,
  canTransition,
  type Clock,
  type LcmOpOccId,
  type NsInstanceId,
} from '../../kernel/index.ts';
import {
  NS_LCM_OPERATION,
  type NsInstanceDocument,
  type NsLcmOpOccDocument,
  type NsLcmOperationEvent,
  type NsLcmOperationState,
  type ServiceScaling,
} from '../domain/index.ts';
import type { StoredRecord, Write } from '../store/index.ts';

import type { ServicesContext } from './context.ts';

export type ServiceOperationUpdate = Extract<
  Write,
  { readonly kind: 'ns-lcm-op-occ'; readonly op: 'update' }
>;

/** The operation moved on by an event of its state machine, with the rest of its document as it was or as `changes` say. */
export function moveServiceOperation(
  clock: Clock,
  { id, document, revision }: StoredRecord<'ns-lcm-op-occ'>,
  event: NsLcmOperationEvent,
  changes: Partial<NsLcmOpOccDocument> = {},
): ServiceOperationUpdate {
  const state = transition<NsLcmOperationState, NsLcmOperationEvent>(
    NS_LCM_OPERATION,
    document.state,
    event,
    `operation ${id}`,
  );
  const { cancelMode: _cancelMode, error, ...rest } = document;
  return {
    op: 'update',
    kind: 'ns-lcm-op-occ',
    id,
    expectedRevision: revision,
    document: {
      ...rest,
      ...(error === undefined || event === 'complete' ? {} : { error }),
      isCancelPending: false,
      ...changes,
      state,
      stateEnteredTime: toTimestamp(clock.now()),
    },
  };
}

/** Each attempt notes its own operations of functions; those of the last one are taken over, or undone, where they still run. */
export const NEW_ATTEMPT = { children: {}, undone: {} } as const satisfies Partial<NsLcmOpOccDocument>;

export interface NewServiceOperation {
  readonly operation: NsLcmOpOccDocument['operation'];
  readonly operationParams: NsLcmOpOccDocument['operationParams'];
  readonly isAutomaticInvocation?: boolean;
  readonly scaling?: ServiceScaling;
}

/** An operation occurrence that begins. The service has yet to be made busy with it, in the same commit. */
export function newServiceOperation(
  { clock }: Pick<ServicesContext, 'clock'>,
  { id: nsInstanceId, tenant }: StoredRecord<'ns-instance'>,
  id: LcmOpOccId,
  { operation, operationParams, isAutomaticInvocation = false, scaling }: NewServiceOperation,
): Write {
  const now = toTimestamp(clock.now());
  const document: NsLcmOpOccDocument = {
    nsInstanceId: nsInstanceId as NsInstanceId,
    operation,
    state: 'PROCESSING',
    startTime: now,
    stateEnteredTime: now,
    isAutomaticInvocation,
    operationParams,
    isCancelPending: false,
    children: {},
    ...(scaling === undefined ? {} : { scaling }),
  };
  return { op: 'create', kind: 'ns-lcm-op-occ', id, tenant, document };
}

export function isServiceEventAllowed(state: NsLcmOperationState, event: NsLcmOperationEvent): boolean {
  return canTransition<NsLcmOperationState, NsLcmOperationEvent>(NS_LCM_OPERATION, state, event);
}

export function updateService(
  { id, revision }: StoredRecord<'ns-instance'>,
  document: NsInstanceDocument,
): Write {
  return { op: 'update', kind: 'ns-instance', id, expectedRevision: revision, document };
}

export function freed(document: NsInstanceDocument): NsInstanceDocument {
  const { activeOpOcc: _activeOpOcc, ...rest } = document;
  return rest;
}
