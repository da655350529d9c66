import { unreachable } from '../../kernel/index.ts';
import type { LcmOperationState, NsLcmOpOccDocument } from '../domain/index.ts';
import { planServiceScaling, planServiceScalingBack } from './plan-scaling.ts';
import { planUpdate, planUpdateBack } from './plan-update.ts';
import type { ChildOperation, ConstituentView, ServiceStep } from './service-step.ts';

export type { ChildOperation, ConstituentView, ServiceStep } from './service-step.ts';

export interface ServiceStepInput {
  readonly operation: Pick<
    NsLcmOpOccDocument,
    'operation' | 'state' | 'isCancelPending' | 'cancelMode' | 'operationParams' | 'isAutomaticInvocation'
  >;
  readonly constituents: readonly ConstituentView[];
  /** Of a heal: those to be healed whatever their state; undefined: those that are not well. */
  readonly healed?: readonly string[];
}

/** The next step of a service's operation, from the state of its functions. Total, and the same after any crash. */
export function planNextServiceStep(input: ServiceStepInput): ServiceStep {
  const { state, operation, isCancelPending, cancelMode } = input.operation;
  if (state !== 'PROCESSING' && state !== 'ROLLING_BACK') return { type: 'wait', for: [] };
  if (isCancelPending) return planCancel(input.constituents, cancelMode ?? 'GRACEFUL');
  const failed = input.constituents.filter(({ own }) => own !== undefined && hasFailed(own.state));
  if (failed.length > 0) {
    const detail = failed
      .map(({ name, own }) => `${name}: ${own?.error ?? own?.state ?? 'failed'}`)
      .join('; ');
    return state === 'PROCESSING' && goesBack(input.operation, failed)
      ? { type: 'rollBack', detail }
      : { type: 'failTemporarily', detail };
  }
  if (state === 'ROLLING_BACK') return planBack(operation, input.constituents);
  switch (operation) {
    case 'INSTANTIATE':
      return buildUp(input.constituents);
    case 'TERMINATE':
      return tearDown(input.constituents);
    case 'HEAL':
      return heal(input.constituents, input.healed);
    case 'UPDATE':
      return planUpdate(input.constituents);
    case 'SCALE':
      return planServiceScaling(input.constituents);
    default:
      return unreachable(operation);
  }
}

/** Begins nothing further; what it has begun ends first: by itself, or, FORCEFUL, because it is cancelled (SOL005, CancelModeType). */
function planCancel(constituents: readonly ConstituentView[], mode: 'GRACEFUL' | 'FORCEFUL'): ServiceStep {
  const ongoing = constituents.filter(({ active }) => active?.isOurs === true && !hasFailed(active.state));
  const next =
    mode === 'FORCEFUL' ? ongoing.find(({ active }) => active?.isCancelPending === false) : undefined;
  if (next !== undefined) return { type: 'cancelChild', name: next.name };
  if (ongoing.length === 0) return { type: 'failTemporarily', detail: `cancelled (${mode})` };
  return {
    type: 'wait',
    for: ongoing.map(({ name, active }) => `${name}: its ${active?.operation} ends first`),
  };
}

/** What its functions have undone by themselves, an operation undoes as a whole; so it does where nobody has asked for it, who would decide. */
function goesBack(
  { operation, isAutomaticInvocation }: ServiceStepInput['operation'],
  failed: readonly ConstituentView[],
): boolean {
  if (operation !== 'UPDATE' && operation !== 'SCALE') return false;
  return isAutomaticInvocation || failed.every(({ own }) => own?.state === 'ROLLED_BACK');
}

function planBack(
  operation: NsLcmOpOccDocument['operation'],
  constituents: readonly ConstituentView[],
): ServiceStep {
  if (operation === 'UPDATE') return planUpdateBack(constituents);
  return operation === 'SCALE' ? planServiceScalingBack(constituents) : tearDown(constituents);
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
