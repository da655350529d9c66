import type { VnfInstanceId } from '../../kernel/index.ts';
import { Candidates } from './candidates.ts';
import { compileRequest, type CompiledRequest } from './compile-request.ts';
import type { Constraint } from './constraints.ts';
import type { HostIndex } from './host-index.ts';
import type { PlacedFunction } from './relocation-types.ts';
import type { PlacementRule, UnitDemand } from './types.ts';
import type { Watchers } from './watchers.ts';

/** Where instances of a unit may go, best first. */
export interface Places {
  readonly compiled: CompiledRequest;
  readonly candidates: Candidates;
}

interface Kept extends Places {
  /** Versions of the functions that it looks at. */
  readonly seen: string;
}

export interface PlacesOptions {
  readonly rules: readonly PlacementRule[];
  readonly isPacking: boolean;
  /** What every new place must satisfy beyond what the function asks for. */
  readonly besides: readonly Constraint[];
}

/** What is said of a closed row: only plans that empty hosts close any for long. */
const CLOSED_TEXT = 'are not in use, or are to be emptied';

/** The places of all units that a plan moves, each ranked once and kept true while instances move. */
export class MovablePlaces {
  /** Rows that take nothing while a place for one instance is looked for. */
  readonly #closed = new Set<number>();
  readonly #index: HostIndex;
  readonly #watchers: Watchers;
  readonly #options: PlacesOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #watched = new Map<VnfInstanceId, readonly VnfInstanceId[]>();

  constructor(index: HostIndex, watchers: Watchers, options: PlacesOptions) {
    this.#index = index;
    this.#watchers = watchers;
    this.#options = options;
  }

  close(row: number): void {
    this.#closed.add(row);
  }

  open(row: number): void {
    if (this.#closed.delete(row)) this.#index.tellGained([row]);
  }

  isClosed(row: number): boolean {
    return this.#closed.has(row);
  }

  of(placed: PlacedFunction, demand: UnitDemand): Places {
    const { functionId } = placed.request;
    const key = `${functionId} ${demand.unit}`;
    const seen = this.#versionsOf(placed);
    const kept = this.#kept.get(key);
    if (kept?.seen === seen) {
      kept.candidates.refresh();
      if (!kept.candidates.isSpent) return kept;
    }
    const compiled = kept?.seen === seen ? kept.compiled : this.#compile(placed, demand);
    const made = { seen, compiled, candidates: new Candidates(this.#index, compiled, 1) };
    // What a kept one has counted may be of before the last moves.
    compiled.limits.recount(this.#index.occupancy.rowsOf(functionId));
    this.#kept.set(key, made);
    return made;
  }

  #compile({ request }: PlacedFunction, demand: UnitDemand): CompiledRequest {
    const { rules, isPacking, besides } = this.#options;
    const closed = this.#closed;
    const compiled = compileRequest(this.#index, request, demand, rules, {
      isPacking,
      besides,
      isOwnCounted: false,
    });
    const { room } = compiled;
    return {
      ...compiled,
      room: {
        ...room,
        has: (row) => !closed.has(row) && room.has(row),
        sift: (rows, count) => siftOpen(rows, room.sift(rows, count), closed),
      },
      fits: (row) => !closed.has(row) && compiled.fits(row),
      lack: (row) => (closed.has(row) ? { text: CLOSED_TEXT } : compiled.lack(row)),
    };
  }

  /** A request looks at where others are: what was ranked holds for as long as these stay there. */
  #versionsOf(placed: PlacedFunction): string {
    const { functionId, near = [] } = placed.request;
    const known = this.#watched.get(functionId);
    const watched = known ?? this.#watchers.watchedBy(placed);
    if (known === undefined) this.#watched.set(functionId, watched);
    const isNearItself = near.some(({ to }) => 'functionId' in to && to.functionId === functionId);
    const { functions } = this.#index.occupancy;
    return [...watched, ...(isNearItself ? [functionId] : [])]
      .map((id) => functions.get(id)?.version ?? 0)
      .join(' ');
  }
}

function siftOpen(rows: Int32Array, count: number, closed: ReadonlySet<number>): number {
  let kept = 0;
  for (let at = 0; at < count; at += 1) {
    const row = rows[at] ?? 0;
    if (closed.has(row)) continue;
    rows[kept] = row;
    kept += 1;
  }
  return kept;
}
