import {
  copyName,
  generationOf,
  isReplacedAt,
  swapVersions,
  toWantedUnits,
  versionOf,
  wantedVnfcs,
  withVersion,
  type RolloutRecord,
  type VnfInstanceDocument,
  type WantedUnit,
  type WantedVnfc,
} from '../../domain/index.ts';

/** The instance on its way to the target of a change: from one version, or from the mixture that an earlier change has left. */
export function towardsTarget(
  instance: VnfInstanceDocument,
  { target }: Pick<RolloutRecord, 'target'>,
): VnfInstanceDocument {
  if (generationOf(instance) === target.generation) return instance;
  if (instance.replaced?.generation === target.generation) return swapVersions(instance);
  return { ...withVersion(instance, target), replaced: versionOf(instance) };
}

/** The way back of a change that is over, as a change of its own: at once, without waves. */
export function reversedRollout(
  instance: VnfInstanceDocument,
  { before, from, to, policy }: RolloutRecord,
): RolloutRecord {
  const { waves: _waves, bakeSeconds: _bake, compare: _compare, window: _window, ...rest } = policy;
  return {
    policy: rest,
    from: to,
    to: from,
    before: versionOf(instance),
    target: { ...before, generation: Math.max(instance.generations, generationOf(instance)) + 1 },
  };
}

/**
 * The instance when a change was given up: of both versions where there are copies of both, else of the one that it has. Of both, what is added from now
 * on is of the version that was there before the change.
 */
export function settledVersions(
  instance: VnfInstanceDocument,
  change: Pick<RolloutRecord, 'before'> | undefined,
): VnfInstanceDocument {
  const { withheld: _withheld, ...rest } = instance;
  const { replaced } = rest;
  if (replaced === undefined) return rest;
  const sides = new Set(
    [...rest.wanted, ...(rest.displaced ?? [])].map(({ generation }) => isReplacedAt(rest, generation)),
  );
  if (sides.size === 2) return replaced.generation === change?.before.generation ? swapVersions(rest) : rest;
  const { replaced: _replaced, ...only } = sides.has(true) ? swapVersions(rest) : rest;
  return only;
}

/** Copies that were to move stay where they are: what was to take their places goes. */
export function withoutSuccessors(
  { wanted }: VnfInstanceDocument,
  moves: RolloutRecord['moves'],
): readonly WantedUnit[] {
  if (moves === undefined) return wanted;
  const copies = wantedVnfcs(wanted);
  const leaving = copies.filter((copy) => moves.copies.includes(copyName(copy)));
  const isSuccessor = (copy: WantedVnfc): boolean =>
    !leaving.includes(copy) && leaving.some(({ unit, slot }) => unit === copy.unit && slot === copy.slot);
  return toWantedUnits(copies.filter((copy) => !isSuccessor(copy)));
}
