/** What has been learned: situation → what each number of extra steps, from 0, has been worth. Plain JSON. */
export type ValueTable = Readonly<Record<string, readonly number[]>>;

const LEARNING_RATE = 0.2;
const DISCOUNT = 0.8;

/** How full the instances of `target` are, in tenths, and where demand goes. */
export function situationOf(demand: number, targetLevel: number, smoothed: number | undefined): string {
  const full = targetLevel === 0 ? 0 : Math.min(12, Math.max(5, Math.round((demand / targetLevel) * 10)));
  const change = smoothed === undefined || smoothed <= 0 ? 0 : demand / smoothed - 1;
  const trend = change > 0.3 ? 'surging' : change > 0.05 ? 'rising' : change < -0.05 ? 'falling' : 'steady';
  return `${full}0% ${trend}`;
}

/** The table after a choice has been judged (Q-learning). */
export function withReward(
  table: ValueTable,
  choices: number,
  judged: { readonly situation: string; readonly extra: number; readonly reward: number },
  next: string,
): ValueTable {
  const worth = rowOf(table, judged.situation, choices);
  const before = worth[judged.extra] ?? 0;
  const ahead = Math.max(...rowOf(table, next, choices));
  const after = before + LEARNING_RATE * (judged.reward + DISCOUNT * ahead - before);
  return { ...table, [judged.situation]: worth.with(judged.extra, Number(after.toPrecision(6))) };
}

/** The best choice, the least of equals; now and then another one, to learn what it is worth. */
export function choose(
  table: ValueTable,
  situation: string,
  choices: number,
  explore: number,
  chance: number,
): number {
  if (chance < explore) return Math.floor((chance / explore) * choices);
  const row = rowOf(table, situation, choices);
  return row.indexOf(Math.max(...row));
}

function rowOf(table: ValueTable, situation: string, choices: number): readonly number[] {
  return Array.from({ length: choices }, (_, index) => table[situation]?.[index] ?? 0);
}

/** Mulberry32: a number from 0 to 1, and the state after it. */
export function chanceAfter(state: number): { readonly value: number; readonly next: number } {
  const next = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(next ^ (next >>> 15), next | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return { value: ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32, next };
}
