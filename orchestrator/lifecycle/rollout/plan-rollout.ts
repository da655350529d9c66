import type { WantedVnfc } from '../../domain/index.ts';
import type { UnitCounts } from '../levels.ts';
import type { RolloutChange, RolloutCopy, RolloutInput } from './rollout-types.ts';

/**
 * The next step from one version to the other, by the policy. Pure, and it keeps nothing: what is wanted and seen says how far it is, so it goes
 * on after any crash, and the way back is the same with the versions changed over.
 */
export function planRollout(input: RolloutInput): RolloutChange {
  switch (input.policy.strategy) {
    case 'recreate':
      return planRecreation(input);
    case 'blue-green':
      return planSwitch(input);
    case 'rolling':
    case 'canary':
      return planRolling(input);
  }
}

/** Whether the part that gets the new version first is all of the new version, and well. */
export function isPartDone({ copies, part, gone, leaving, policy }: RolloutInput): boolean {
  const fresh = copies.filter(({ isOld }) => !isOld);
  if (part === undefined || gone.length > 0 || leaving.length > 0) return false;
  if (!fresh.every(isGood)) return false;
  if (part.hosts !== undefined)
    return !copies.some(
      ({ isOld, copy, health }) => isOld && health !== 'silent' && part.hosts?.has(copy.hostId),
    );
  // Blue-green: those who are bound to it use the new version, and nothing else.
  if (policy.strategy === 'blue-green' && !copies.every((each) => !each.isOld || each.isForgotten))
    return false;
  return Object.entries(part.counts).every(([unit, count]) => ofUnit(fresh, unit).length >= count);
}

function isGood({ health }: RolloutCopy): boolean {
  return health === 'well' || health === 'silent';
}

/** Nothing of the old version is wanted or there, and the new one is whole and well. */
export function isRolledOut({ copies, counts, leaving, gone }: RolloutInput): boolean {
  const fresh = copies.filter(({ isOld }) => !isOld);
  return (
    leaving.length === 0 &&
    gone.length === 0 &&
    fresh.length === copies.length &&
    fresh.every(isGood) &&
    Object.entries(counts).every(([unit, count]) => ofUnit(fresh, unit).length === count)
  );
}

/** Why the new version is not good enough to go on with; undefined: it is, so far. */
export function failedGate({ copies }: Pick<RolloutInput, 'copies'>): string | undefined {
  const bad = copies.filter(
    ({ isOld, health, isOverdue }) =>
      !isOld && (health === 'failed' || (isOverdue && health !== 'well' && health !== 'silent')),
  );
  if (bad.length === 0) return undefined;
  return bad
    .map(({ copy, health, reason }) => {
      const what = health === 'failed' ? 'was given up' : 'does not get well';
      return `${copy.unit}-${copy.slot} on ${copy.hostId} ${what}${reason === undefined ? '' : `: ${reason}`}`;
    })
    .join('; ');
}

/** First everything of the old version ends, then everything of the new one starts in its place: never two at once. */
function planRecreation({ copies, counts, leaving }: RolloutInput): RolloutChange {
  const old = copies.filter(({ isOld }) => isOld).map(({ copy }) => copy);
  const lost = copies.filter(({ isOld, health }) => !isOld && health === 'gone').map(({ copy }) => copy);
  const isFree = old.length === 0 && leaving.length === 0;
  return {
    stop: [],
    displace: [...old, ...lost],
    withheld: [],
    counts: isFree && lost.length === 0 ? counts : {},
  };
}

/** All of the new version beside the old one, which nobody is told of until it is whole and well; then of nothing else, and the old one ends. */
function planSwitch({ copies, counts, part }: RolloutInput): RolloutChange {
  const here = copies.filter(({ health }) => health !== 'gone');
  const [old, fresh] = [true, false].map((side) => here.filter(({ isOld }) => isOld === side));
  const isWhole = Object.entries(counts).every(
    ([unit, count]) => ofUnit(fresh ?? [], unit).filter(isGood).length === count,
  );
  const over = isWhole && part === undefined ? (old ?? []).filter(({ isForgotten }) => isForgotten) : [];
  const hidden = isWhole ? (old ?? []).filter((each) => !over.includes(each)) : (fresh ?? []);
  const lost = copies.filter(({ health }) => health === 'gone');
  return {
    stop: [...over, ...lost].map(({ copy }) => copy),
    displace: [],
    withheld: hidden.map(({ copy }) => copy),
    counts,
  };
}

/** Some more of the new version, within the surge; some fewer of the old one, within what may be missing; the next when these are well. */
function planRolling(input: RolloutInput): RolloutChange {
  const steps = Object.entries(input.counts).map(([unit, count]) => rollUnit(input, unit, count));
  const isMoved = steps.every(({ isOver }) => isOver);
  const rest = isMoved ? endUnits(input) : { stop: [], withheld: [] };
  return {
    stop: [...steps.flatMap(({ stop }) => stop), ...rest.stop],
    displace: [],
    withheld: [...steps.flatMap(({ withheld }) => withheld), ...rest.withheld],
    counts: Object.fromEntries(steps.map(({ unit, target }) => [unit, target])),
  };
}

interface UnitStep {
  readonly unit: string;
  readonly stop: readonly WantedVnfc[];
  readonly withheld: readonly WantedVnfc[];
  /** Copies of the new version. */
  readonly target: number;
  readonly isOver: boolean;
}

function rollUnit({ policy, copies, part }: RolloutInput, unit: string, count: number): UnitStep {
  const { maxUnavailable } = policy;
  // The first part runs beside the old version, all of which goes on until it has been watched.
  const most = Math.min(count, part?.counts[unit] ?? count);
  const maxSurge = part === undefined ? policy.maxSurge : Math.max(policy.maxSurge, most);
  const own = ofUnit(copies, unit);
  const old = own.filter(({ isOld }) => isOld);
  const fresh = own.filter(({ isOld, health }) => !isOld && health !== 'gone');
  const well = fresh.filter(({ health }) => health === 'well');
  const offered = old.filter(({ isWithheld }) => !isWithheld);
  const spare = offered.length + Math.min(well.length, count) - Math.max(0, count - maxUnavailable);
  const retiring = part === undefined ? offered.toSorted(leastMissed).slice(0, Math.max(0, spare)) : [];
  const stop = old.filter(
    ({ isWithheld, isForgotten, health }) => health === 'gone' || (isWithheld && isForgotten),
  );
  const lost = own.filter(({ isOld, health }) => !isOld && health === 'gone');
  const remaining = old.length - stop.length;
  const room = Math.max(0, count + maxSurge - remaining - fresh.length);
  const isSettled = well.length === fresh.length;
  return {
    unit,
    stop: [...stop, ...lost].map(({ copy }) => copy),
    withheld: [...old.filter(({ isWithheld }) => isWithheld), ...retiring]
      .filter((each) => !stop.includes(each))
      .map(({ copy }) => copy),
    target: isSettled ? Math.max(fresh.length, Math.min(most, fresh.length + room)) : fresh.length,
    isOver: old.length === 0 && well.length === count,
  };
}

/** Units that the new version does not have end when all others are what they are to be. */
function endUnits({ copies, counts }: RolloutInput): Pick<RolloutChange, 'stop' | 'withheld'> {
  const ending = copies.filter(({ isOld, copy }) => isOld && counts[copy.unit] === undefined);
  const isOver = ({ isWithheld, isForgotten, health }: RolloutCopy): boolean =>
    health === 'gone' || (isWithheld && isForgotten);
  return {
    stop: ending.filter(isOver).map(({ copy }) => copy),
    withheld: ending.filter((each) => !isOver(each)).map(({ copy }) => copy),
  };
}

const NEED: Readonly<Record<RolloutCopy['health'], number>> = {
  gone: 0,
  failed: 0,
  silent: 0,
  waiting: 1,
  running: 2,
  well: 2,
};

/** What does not serve goes first, then what has to leave its host anyway, then the highest slots. */
function leastMissed(a: RolloutCopy, b: RolloutCopy): number {
  return (
    NEED[a.health] - NEED[b.health] ||
    Number(b.isOnDraining) - Number(a.isOnDraining) ||
    b.copy.slot - a.copy.slot
  );
}

function ofUnit(copies: readonly RolloutCopy[], unit: string): readonly RolloutCopy[] {
  return copies.filter(({ copy }) => copy.unit === unit);
}

/** Copies of the new version by unit. */
export function freshCounts(copies: readonly RolloutCopy[]): UnitCounts {
  const fresh = Map.groupBy(
    copies.filter(({ isOld }) => !isOld),
    ({ copy }) => copy.unit,
  );
  return Object.fromEntries([...fresh].map(([unit, own]) => [unit, own.length]));
}
