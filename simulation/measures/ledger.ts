import type { NsInstanceId } from '../../kernel/index.ts';
import { createHistogram, type Histogram } from './histogram.ts';

/** Copies of all function instances, in one moment. */
export interface CopyTotals {
  /** What the scenario asks for. */
  readonly wanted: number;
  /** Of these, what has a host. */
  readonly placed: number;
  /** What has none: `wanted` is `placed` and `unplaced`. */
  readonly unplaced: number;
  /** Of these wanted, what runs on a host that is up. */
  readonly running: number;
  /** Given a host beyond what is wanted: on its way out. */
  readonly surplus: number;
}

/** Whose copies are counted as one: of a function instance, or of a function of a service, which is asked for before there is an instance of it. */
export type Account = string;

export function accountOfConstituent(nsInstanceId: NsInstanceId, constituent: string): Account {
  return `${nsInstanceId} ${constituent}`;
}

/**
 * Counts for each function instance what is wanted of it, what has a host, and what runs; adds up over time what is missing, and takes the
 * time from when a copy is missing until one runs instead. The copy that is missing for longest is the first that is made good.
 */
export interface Ledger {
  setWanted(account: Account, copies: number, options?: { readonly isCoverage: boolean }): void;
  setPlaced(account: Account, copies: number): void;
  setRunning(account: Account, copies: number): void;
  totals(): CopyTotals;
  /** Time passes while all stays as it is. */
  pass(milliseconds: number): void;
  readonly unplacedSeconds: number;
  readonly downSeconds: number;
  readonly wantedSeconds: number;
  readonly peakUnplaced: number;
  readonly peakDown: number;
  /** Milliseconds from a request until its copy runs. */
  readonly toPlace: Histogram;
  /** Milliseconds from the loss of a copy until one runs instead. Not of coverage, which waits for its host. */
  readonly toRecover: Histogram;
}

/** Copies that are missing since the same moment. */
interface Gap {
  readonly since: number;
  readonly isLoss: boolean;
  copies: number;
}

interface Balance {
  wanted: number;
  placed: number;
  running: number;
  readonly gaps: Gap[];
  isCoverage: boolean;
}

const STATES = ['wanted', 'placed', 'unplaced', 'running', 'surplus'] as const;

export function createLedger(): Ledger {
  const accounts = new Map<Account, Balance>();
  const totals = { wanted: 0, placed: 0, unplaced: 0, running: 0, surplus: 0 };
  const sums = { unplacedSeconds: 0, downSeconds: 0, wantedSeconds: 0, peakUnplaced: 0, peakDown: 0 };
  const toPlace = createHistogram();
  const toRecover = createHistogram();
  let now = 0;

  function change(id: Account, what: 'wanted' | 'placed' | 'running', copies: number): Balance {
    const account = accounts.get(id) ?? { wanted: 0, placed: 0, running: 0, gaps: [], isCoverage: false };
    accounts.set(id, account);
    const before = statesOf(account);
    const missing = missingOf(account);
    account[what] = copies;
    const after = statesOf(account);
    for (const state of STATES) totals[state] += after[state] - before[state];
    settleGaps(account, missingOf(account) - missing, what);
    if (account.wanted === 0 && account.placed === 0 && account.running === 0) accounts.delete(id);
    return account;
  }

  function settleGaps(account: Balance, more: number, what: 'wanted' | 'placed' | 'running'): void {
    const { gaps, isCoverage } = account;
    if (more > 0) gaps.push({ since: now, isLoss: what === 'running', copies: more });
    let fewer = -more;
    while (fewer > 0) {
      // What is no longer wanted was never placed, the newest first.
      const gap = what === 'wanted' ? gaps.at(-1) : gaps[0];
      if (gap === undefined) return;
      const copies = Math.min(fewer, gap.copies);
      gap.copies -= copies;
      fewer -= copies;
      if (what === 'running' && !(gap.isLoss && isCoverage))
        (gap.isLoss ? toRecover : toPlace).add(now - gap.since, copies);
      if (gap.copies === 0) gaps.splice(gaps.indexOf(gap), 1);
    }
  }

  return {
    toPlace,
    toRecover,
    setWanted: (id, copies, { isCoverage } = { isCoverage: false }) => {
      change(id, 'wanted', copies).isCoverage = isCoverage;
    },
    setPlaced: (id, copies) => void change(id, 'placed', copies),
    setRunning: (id, copies) => void change(id, 'running', copies),
    totals: () => ({ ...totals }),
    pass: (milliseconds) => {
      const down = totals.wanted - totals.running;
      sums.unplacedSeconds += (totals.unplaced * milliseconds) / 1000;
      sums.downSeconds += (down * milliseconds) / 1000;
      sums.wantedSeconds += (totals.wanted * milliseconds) / 1000;
      sums.peakUnplaced = Math.max(sums.peakUnplaced, milliseconds > 0 ? totals.unplaced : 0);
      sums.peakDown = Math.max(sums.peakDown, milliseconds > 0 ? down : 0);
      now += milliseconds;
    },
    get unplacedSeconds() {
      return sums.unplacedSeconds;
    },
    get downSeconds() {
      return sums.downSeconds;
    },
    get wantedSeconds() {
      return sums.wantedSeconds;
    },
    get peakUnplaced() {
      return sums.peakUnplaced;
    },
    get peakDown() {
      return sums.peakDown;
    },
  };
}

function statesOf({ wanted, placed, running }: Balance): CopyTotals {
  return {
    wanted,
    placed: Math.min(placed, wanted),
    unplaced: Math.max(0, wanted - placed),
    running: Math.min(running, wanted),
    surplus: Math.max(0, placed - wanted),
  };
}

function missingOf({ wanted, running }: Balance): number {
  return Math.max(0, wanted - running);
}
