import { undoFirst } from './plan-scaling.ts';
import type { ConstituentView, ServiceStep } from './service-step.ts';

/**
 * The next step of an update that brings functions to other versions: each once those of them that it is bound to are done, so that a new version finds
 * the new versions of what it uses, and what uses it has been served by both.
 */
export function planUpdate(constituents: readonly ConstituentView[]): ServiceStep {
  const targets = constituents.filter(({ update }) => update !== undefined);
  const others = targets.filter(({ active }) => active?.operation === 'CHANGE_VNFPKG' && !active.isOurs);
  const stopped = others.find(({ active }) => active?.state === 'FAILED_TEMP');
  if (stopped !== undefined) return { type: 'retryChild', name: stopped.name };
  if (others.length > 0) return { type: 'adopt', names: others.map(({ name }) => name) };
  const open = new Set(targets.filter(({ update }) => update !== 'done').map(({ name }) => name));
  if (open.size === 0) return { type: 'complete' };
  const paused = targets.filter(({ active }) => active?.isPaused === true);
  if (paused.length > 0) return { type: 'wait', for: paused.map(({ name }) => `${name} is paused`) };
  const ready = targets.filter(
    ({ name, active, own, after }) =>
      open.has(name) && active === undefined && own === undefined && !after.some((other) => open.has(other)),
  );
  if (ready.length > 0)
    return { type: 'start', operation: 'CHANGE_VNFPKG', names: ready.map(({ name }) => name) };
  return { type: 'wait', for: [...open].map((name) => `${name} is being changed to another version`) };
}

/** The way back of an update: what is under way is undone, then what was changed is changed back, in the opposite order. */
export function planUpdateBack(constituents: readonly ConstituentView[]): ServiceStep {
  const targets = constituents.filter(({ update }) => update !== undefined);
  const undone = undoFirst(targets, 'CHANGE_VNFPKG');
  if (undone !== undefined) return undone;
  // A function is of the old version from the beginning of its way back on: over that is at its end only.
  const open = new Set(
    targets
      .filter(({ update, active }) => update === 'done' || active?.operation === 'CHANGE_VNFPKG')
      .map(({ name }) => name),
  );
  if (open.size === 0) return { type: 'rolledBack' };
  const ready = targets.filter(
    ({ name, active, own, before }) =>
      open.has(name) && active === undefined && own === undefined && !before.some((other) => open.has(other)),
  );
  if (ready.length > 0)
    return { type: 'start', operation: 'CHANGE_VNFPKG', names: ready.map(({ name }) => name) };
  return { type: 'wait', for: [...open].map((name) => `${name} is being changed back`) };
}
