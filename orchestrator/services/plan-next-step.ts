import { unreachable } from '../../kernel/index.ts';
import { planUpdate, planUpdateBack } from './plan-update.ts';
import type { LcmOperationState, NsLcmOpOccDocument, VnfLcmOpOccDocument } from '../domain/index.ts';

export type ChildOperation = VnfLcmOpOccDocument['operation'];

/** One function of the service as the planner sees it. */
export interface ConstituentView {
  readonly name: string;
  /** Constituents that have to run before it. */
  readonly after: readonly string[];
  /** Constituents that have to be gone before it goes. */
  readonly before: readonly string[];
  readonly isInstantiated: boolean;
  /** Of an update that names it: whether it is of the version that is wanted. */
  readonly update?: 'open' | 'done';
  /** Every wanted copy runs. */
  readonly isWell: boolean;
  /** The operation that it is busy with, whoever has started it. */
  readonly active?: {
    readonly operation: ChildOperation;
    readonly state: LcmOperationState;
    readonly isOurs: boolean;
    readonly isCancelPending: boolean;
  };
  /** The operation that this attempt has started or taken over, as it is now. */
  readonly own?: { readonly state: LcmOperationState; readonly error?: string };
}

export type ServiceStep =
  | { readonly type: 'start'; readonly operation: ChildOperation; readonly names: readonly string[] }
  /** Let an operation of an earlier attempt count as this one's. */
  | { readonly type: 'adopt'; readonly names: readonly string[] }
  | { readonly type: 'retryChild'; readonly name: string }
  /** An operation that is in the way of the service's end. */
  | { readonly type: 'cancelChild'; readonly name: string }
  | { readonly type: 'failChild'; readonly name: string }
  | { readonly type: 'rollBackChild'; readonly name: string }
  /** A function has gone back by itself: so does all of the update. */
  | { readonly type: 'rollBack'; readonly detail: string }
  | { readonly type: 'rolledBack' }
  | { readonly type: 'complete' }
  /** Delete the functions, and be over. */
  | { readonly type: 'dispose' }
  | { readonly type: 'failTemporarily'; readonly detail: string }
  | { readonly type: 'wait'; readonly for: readonly string[] };

export interface ServiceStepInput {
  readonly operation: Pick<
    NsLcmOpOccDocument,
    'operation' | 'state' | 'isCancelPending' | 'cancelMode' | 'operationParams'
  >;
  readonly constituents: readonly ConstituentView[];
  /** Of a heal: those to be healed whatever their state; undefined: those that are not well. */
  readonly healed?: readonly string[];
}

/** The next step of a service's operation, from the state of its functions. Total, and the same after any crash. */
export function planNextServiceStep(input: ServiceStepInput): ServiceStep {
  const { state, operation, isCancelPending, cancelMode } = input.operation;
  if (state !== 'PROCESSING' && state !== 'ROLLING_BACK') return { type: 'wait', for: [] };
  if (isCancelPending) return { type: 'failTemporarily', detail: `cancelled (${cancelMode ?? 'GRACEFUL'})` };
  const failed = input.constituents.filter(({ own }) => own !== undefined && hasFailed(own.state));
  if (failed.length > 0) {
    const detail = failed
      .map(({ name, own }) => `${name}: ${own?.error ?? own?.state ?? 'failed'}`)
      .join('; ');
    const hasGoneBack = failed.every(({ own }) => own?.state === 'ROLLED_BACK');
    return operation === 'UPDATE' && state === 'PROCESSING' && hasGoneBack
      ? { type: 'rollBack', detail }
      : { type: 'failTemporarily', detail };
  }
  if (state === 'ROLLING_BACK')
    return operation === 'UPDATE' ? planUpdateBack(input.constituents) : tearDown(input.constituents);
  switch (operation) {
    case 'INSTANTIATE':
      return buildUp(input.constituents);
    case 'TERMINATE':
      return tearDown(input.constituents);
    case 'HEAL':
      return heal(input.constituents, input.healed);
    case 'UPDATE':
      return planUpdate(input.constituents);
    default:
      return unreachable(operation);
  }
}

function hasFailed(state: LcmOperationState): boolean {
  return state === 'FAILED_TEMP' || state === 'FAILED' || state === 'ROLLED_BACK';
}

/** Each function once those that it requires run. */
function buildUp(constituents: readonly ConstituentView[]): ServiceStep {
  const running = new Set(
    constituents.filter(({ isInstantiated }) => isInstantiated).map(({ name }) => name),
  );
  const waiting = constituents.filter(({ isInstantiated }) => !isInstantiated);
  if (waiting.length === 0) return { type: 'complete' };
  const resumed = resume(waiting, 'INSTANTIATE');
  if (resumed !== undefined) return resumed;
  const ready = waiting.filter(
    ({ active, own, after }) =>
      active === undefined && own === undefined && after.every((provider) => running.has(provider)),
  );
  if (ready.length > 0) return start('INSTANTIATE', ready);
  return { type: 'wait', for: waiting.map(describe(running)) };
}

/** Each function once those that require it are gone. */
function tearDown(constituents: readonly ConstituentView[]): ServiceStep {
  const foreign = constituents.find(({ active }) => active !== undefined && active.operation !== 'TERMINATE');
  if (foreign?.active !== undefined) {
    if (foreign.active.state === 'FAILED_TEMP') return { type: 'failChild', name: foreign.name };
    return foreign.active.isCancelPending
      ? { type: 'wait', for: [`${foreign.name}: its ${foreign.active.operation} is being cancelled`] }
      : { type: 'cancelChild', name: foreign.name };
  }
  const here = constituents.filter(({ isInstantiated, active }) => isInstantiated || active !== undefined);
  if (here.length === 0) return { type: 'dispose' };
  const resumed = resume(here, 'TERMINATE');
  if (resumed !== undefined) return resumed;
  const names = new Set(here.map(({ name }) => name));
  const ready = here.filter(
    ({ active, own, before }) =>
      active === undefined && own === undefined && before.every((dependent) => !names.has(dependent)),
  );
  if (ready.length > 0) return start('TERMINATE', ready);
  return { type: 'wait', for: here.map(({ name }) => `${name} is being terminated`) };
}

function heal(constituents: readonly ConstituentView[], healed: readonly string[] | undefined): ServiceStep {
  const targets = constituents.filter(({ name, isWell, own }) =>
    healed === undefined ? !isWell || own !== undefined : healed.includes(name),
  );
  const resumed = resume(targets, 'HEAL');
  if (resumed !== undefined) return resumed;
  const ready = targets.filter(({ active, own }) => active === undefined && own === undefined);
  if (ready.length > 0) return start('HEAL', ready);
  const open = targets.filter(({ own }) => own?.state !== 'COMPLETED');
  if (open.length === 0) return { type: 'complete' };
  return { type: 'wait', for: open.map(({ name }) => `${name} is being healed`) };
}

/** Operations of an earlier attempt, or of a moment before a crash: they go on, and count. */
function resume(
  constituents: readonly ConstituentView[],
  operation: ChildOperation,
): ServiceStep | undefined {
  const others = constituents.filter(({ active }) => active?.operation === operation && !active.isOurs);
  const stopped = others.find(({ active }) => active?.state === 'FAILED_TEMP');
  if (stopped !== undefined) return { type: 'retryChild', name: stopped.name };
  return others.length === 0 ? undefined : { type: 'adopt', names: others.map(({ name }) => name) };
}

function start(operation: ChildOperation, constituents: readonly ConstituentView[]): ServiceStep {
  return { type: 'start', operation, names: constituents.map(({ name }) => name) };
}

function describe(running: ReadonlySet<string>): (constituent: ConstituentView) => string {
  return ({ name, after, active }) => {
    const missing = after.filter((provider) => !running.has(provider));
    return active === undefined && missing.length > 0
      ? `${name} waits for ${missing.join(', ')}`
      : `${name} is being instantiated`;
  };
}
