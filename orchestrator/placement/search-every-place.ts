import { bestRows } from './best-rows.ts';
import type { CompileOptions } from './compile-request.ts';
import type { Draft } from './draft.ts';
import type { Item } from './seats.ts';
import type { SearchBudget } from './search-budget.ts';

/** `none`: no plan places all in that order; `cut`: the budget was spent before that was known. */
export type Finding = 'found' | 'none' | 'cut';

/**
 * Tries every place for every instance, best first, and leaves a plan that it finds in the draft. One item after the other; states from which
 * nothing followed are not entered again, whatever the order in which their seats were taken.
 */
export function searchEveryPlace(
  draft: Draft,
  order: readonly Item[],
  budget: SearchBudget,
  how: CompileOptions = {},
): Finding {
  const dead = new Set<string>();

  function place(at: number, left: number): Finding {
    const item = order[at];
    if (item === undefined) return draft.misplaced() === undefined ? 'found' : 'none';
    if (left === 0) return place(at + 1, order[at + 1]?.count ?? 0);
    const state = stateOf(draft);
    if (dead.has(state)) return 'none';
    for (const row of bestRows(draft.index, draft.compile(item, how))) {
      if (!budget.step()) return 'cut';
      draft.take(item, row);
      const finding = place(at, left - 1);
      if (finding !== 'none') return finding;
      draft.giveBack();
    }
    dead.add(state);
    return 'none';
  }

  draft.load([]);
  return place(0, order[0]?.count ?? 0);
}

function stateOf({ seats }: Draft): string {
  return seats
    .map(({ item, row }) => `${item.at}:${row}`)
    .toSorted()
    .join(' ');
}
