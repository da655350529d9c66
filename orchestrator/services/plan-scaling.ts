import type { ConstituentView, ServiceStep } from './service-step.ts';

type Target = ConstituentView & { readonly scale: NonNullable<ConstituentView['scale']> };

/**
 * The next step of a scaling of a service: what goes out goes first, each function once those before it in the order are done; then what goes in, the other way
 * round. Level-triggered: it looks at the steps that are missing, whoever has taken the others.
 */
export function planServiceScaling(constituents: readonly ConstituentView[]): ServiceStep {
  const targets = targetsOf(constituents);
  const others = targets.filter(({ active }) => active?.operation === 'SCALE' && !active.isOurs);
  const stopped = others.find(({ active }) => active?.state === 'FAILED_TEMP');
  if (stopped !== undefined) return { type: 'retryChild', name: stopped.name };
  if (others.length > 0) return { type: 'adopt', names: others.map(({ name }) => name) };
  return startNext(targets) ?? { type: 'complete' };
}

/** The way back: what is under way is undone, then each function gets the steps again that it had before. */
export function planServiceScalingBack(constituents: readonly ConstituentView[]): ServiceStep {
  const targets = targetsOf(constituents);
  return undoFirst(targets, 'SCALE') ?? startNext(targets) ?? { type: 'rolledBack' };
}

/** Undoes what an earlier attempt has under way, once: where that fails, an operator decides. Nothing where nothing is. */
export function undoFirst(
  constituents: readonly ConstituentView[],
  operation: 'SCALE' | 'CHANGE_VNFPKG',
): ServiceStep | undefined {
  for (const { name, active } of constituents) {
    if (active?.operation !== operation || active.isOurs) continue;
    if (active.state === 'FAILED_TEMP' && active.isUndone === true)
      return {
        type: 'failTemporarily',
        detail: `${name}: it cannot go back: ${active.error ?? 'it failed'}`,
      };
    if (active.state === 'FAILED_TEMP') return { type: 'rollBackChild', name };
    if (active.state === 'ROLLING_BACK' || active.isCancelPending)
      return { type: 'wait', for: [`${name} is going back`] };
    return { type: 'cancelChild', name };
  }
  return undefined;
}

function targetsOf(constituents: readonly ConstituentView[]): readonly Target[] {
  return constituents.flatMap(({ scale, ...rest }) => (scale === undefined ? [] : [{ ...rest, scale }]));
}

function startNext(targets: readonly Target[]): ServiceStep | undefined {
  const open = targets.filter(({ scale, active }) => scale.steps !== 0 || active?.operation === 'SCALE');
  if (open.length === 0) return undefined;
  const goOut = open.some(({ scale }) => scale.steps > 0);
  const waitedFor = open.filter(({ scale, active }) => active !== undefined || scale.steps > 0 === goOut);
  const names = new Set(waitedFor.map(({ name }) => name));
  const isNext = ({ scale: { steps, after, before } }: Target): boolean =>
    goOut
      ? steps > 0 && !after.some((name) => names.has(name))
      : steps < 0 && !before.some((name) => names.has(name));
  const ready = open.filter(
    (target) =>
      isNext(target) &&
      target.active === undefined &&
      (target.own === undefined || target.own.state === 'COMPLETED'),
  );
  return ready.length > 0
    ? { type: 'start', operation: 'SCALE', names: ready.map(({ name }) => name) }
    : { type: 'wait', for: open.map(describe) };
}

function describe({ name, active }: Target): string {
  return active === undefined || active.operation === 'SCALE'
    ? `${name} is being scaled`
    : `${name} is busy with its ${active.operation}`;
}
