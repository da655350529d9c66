import type { InstanceMove } from './instance-moves.ts';
import type { Relocation } from './relocation.ts';
import type { RelocationMove } from './relocation-types.ts';

/**
 * Moves of single instances in which what was moved on goes at once where it ended; undefined: none was.
 * @param when with its first move, or with its last
 */
export function straightened(
  moves: readonly RelocationMove[],
  when: 'first' | 'last',
): readonly RelocationMove[] | undefined {
  const straight: (RelocationMove | undefined)[] = [];
  const arrivals = new Map<string, number[]>();
  let isChanged = false;
  for (const move of moves) {
    const kind = `${move.functionId} ${move.unit}`;
    const at = arrivals.get(`${kind} ${move.from}`)?.pop();
    const earlier = at === undefined ? undefined : straight[at];
    let position = straight.length;
    if (at === undefined || earlier === undefined) straight.push(move);
    else {
      isChanged = true;
      straight[at] = undefined;
      if (earlier.from === move.to) continue;
      const { from } = earlier;
      const whole = {
        ...(when === 'first' ? earlier : move),
        from,
        to: move.to,
        gain: earlier.gain + move.gain,
      };
      if (when === 'first') position = at;
      straight[position] = whole;
    }
    arrivals.set(`${kind} ${move.to}`, [...(arrivals.get(`${kind} ${move.to}`) ?? []), position]);
  }
  return isChanged ? straight.filter((move) => move !== undefined) : undefined;
}

/** Carries moves out on an index on which nothing of them is booked yet. @returns whether every step can be made, in this order, as far as there is time to see it */
export function canCarryOut(relocation: Relocation, moves: readonly RelocationMove[]): boolean {
  return [...Map.groupBy(moves, ({ step }) => step).values()].every(
    (step) => relocation.pace.timeLeft() > 0 && carryOut(relocation, step),
  );
}

function carryOut(relocation: Relocation, moves: readonly RelocationMove[]): boolean {
  const step = moves.flatMap((move) => resolve(relocation, move));
  const group = [...new Set(step.map(({ placed }) => placed))];
  const standing = relocation.standingOf(group);
  const before = step.map(({ placed, demand }) => excessOf(relocation, { placed, demand }));
  for (const each of step) relocation.lift(each);
  for (const [at, each] of step.entries()) {
    const { compiled } = relocation.places.of(each.placed, each.demand);
    if (!compiled.eligible.has(each.to) || !compiled.fits(each.to)) return false;
    const isOne = relocation.placeStep([each], new Set(), at === step.length - 1 ? standing : []);
    if (!isOne) return false;
  }
  return step.every(
    ({ placed, demand }, at) => excessOf(relocation, { placed, demand }) <= (before[at] ?? 0),
  );
}

function resolve(
  relocation: Relocation,
  { functionId, unit, from, to, gain }: RelocationMove,
): readonly InstanceMove[] {
  const { index } = relocation;
  const placed = relocation.functionOf(functionId);
  const demand = placed?.request.units.find((each) => each.unit === unit);
  const [row, target] = [index.rowOf(from), index.rowOf(to)];
  if (placed === undefined || demand === undefined || row === undefined || target === undefined) return [];
  return [{ placed, demand, row, to: target, gain }];
}

function excessOf(
  relocation: Relocation,
  { placed, demand }: Pick<InstanceMove, 'placed' | 'demand'>,
): number {
  return relocation.places.of(placed, demand).compiled.limits.excess;
}
