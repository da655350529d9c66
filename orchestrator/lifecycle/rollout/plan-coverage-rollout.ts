import type { HostId } from '../../../kernel/index.ts';
import type { RolloutChange, RolloutCopy, RolloutInput } from './rollout-types.ts';

interface CoveredHost {
  readonly hostId: HostId;
  readonly old: readonly RolloutCopy[];
  readonly fresh: readonly RolloutCopy[];
  /** Something of it is on its way from one version to the other. */
  readonly isUnderWay: boolean;
}

/**
 * The next step of a function that covers hosts: on each host the new version takes the place of the old one, on some hosts at a time. With a
 * surge it starts beside the old one, which ends when it is well; without one, or recreated, the old one ends first. Hosts that are not heard from
 * come last: with a surge they get what they will run when they are back, else that is decided when they have let go of the old version.
 */
export function planCoverageRollout(input: RolloutInput): RolloutChange {
  const { policy } = input;
  const hosts = hostsOf(input);
  const isBeside = policy.strategy !== 'recreate' && policy.maxSurge > 0;
  const atOnce = Math.max(1, isBeside ? policy.maxSurge : policy.maxUnavailable);
  const underWay = hosts.filter(({ isUnderWay }) => isUnderWay);
  const waiting = hosts.filter(({ isUnderWay, old }) => !isUnderWay && old.length > 0);
  const heard = waiting.filter(({ old }) => old.some(({ health }) => health !== 'silent'));
  const next = heard
    .filter(
      ({ hostId }) => input.part?.hosts?.has(hostId) !== false && input.closedHosts?.has(hostId) !== true,
    )
    .slice(0, Math.max(0, atOnce - underWay.length));
  const isLast = heard.length === 0 && underWay.length === 0 && input.part === undefined;
  const silent = isLast ? waiting : [];
  const retired = underWay
    .filter(({ fresh }) => fresh.length > 0 && fresh.every(isGood))
    .flatMap(({ old }) => old);
  const over = [
    ...retired.filter(isOver),
    ...input.copies.filter(({ health }) => health === 'gone'),
    ...(isBeside ? silent.flatMap(({ old }) => old) : []),
  ];
  const stopped = new Set(over);
  const ending = isBeside ? [] : [...next, ...silent];
  return {
    stop: over.map(({ copy }) => copy),
    displace: ending.flatMap(({ old }) => old.map(({ copy }) => copy)),
    withheld: retired.filter((each) => !stopped.has(each)).map(({ copy }) => copy),
    counts: input.counts,
    hosts: [...new Set([...underWay, ...(isBeside ? [...silent, ...next] : [])].map(({ hostId }) => hostId))],
  };
}

function hostsOf({ copies, leaving, gone }: RolloutInput): readonly CoveredHost[] {
  const away = new Set([...leaving, ...gone].map(({ hostId }) => hostId));
  const ids = new Set([...away, ...copies.map(({ copy }) => copy.hostId)]);
  const present = copies.filter(({ health }) => health !== 'gone');
  const byHost = Map.groupBy(present, ({ copy }) => copy.hostId);
  return [...ids].toSorted().map((hostId) => {
    const here = byHost.get(hostId) ?? [];
    const old = here.filter(({ isOld }) => isOld);
    const fresh = here.filter(({ isOld }) => !isOld);
    const isUnderWay = away.has(hostId) || !fresh.every(isGood) || (fresh.length > 0 && old.length > 0);
    return { hostId, old, fresh, isUnderWay };
  });
}

function isGood({ health }: RolloutCopy): boolean {
  return health === 'well' || health === 'silent';
}

function isOver({ isWithheld, isForgotten, health }: RolloutCopy): boolean {
  return health === 'silent' || (isWithheld && isForgotten);
}
