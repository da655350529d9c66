import type { components } from '../../api-specs/generated/mco.ts';
import { workloadId, type ObservedWorkload, type WorkloadKey } from '../../vim-drivers/index.ts';
import type { StoredWanted } from './assignment-store.ts';

export type Report = components['schemas']['report'];

/** A wanted state, by where it comes from and its revision there. */
export type Applied = Pick<StoredWanted, 'revision' | 'stateId'>;

/** What the orchestrator is known to know, by workload id. */
type Known = ReadonlyMap<string, { readonly key: WorkloadKey; readonly text: string }>;

/**
 * What is still to be reported. Reports are states, not events: what was not sent yet is replaced by what is newer, so
 * that nothing is ever lost or piled up however long the orchestrator is away, and what it learns first on its return is how things are *now*.
 * A message that was sent once is repeated unchanged until it is answered. Needs no disk: after a restart the drivers say what is, and the first report is full.
 */
export class ReportOutbox {
  /** Absent: the next report must be full. */
  #known: Known | undefined;
  #knownApplied: Applied | undefined;
  #observed: Known | undefined;
  #workloads: readonly ObservedWorkload[] = [];
  #applied: Applied | undefined;
  #isFullDue = true;
  #inFlight:
    { readonly report: Report; readonly known: Known; readonly applied: Applied | undefined } | undefined;

  /**
   * What is now, whole.
   * @param applied the wanted state that this reflects; absent where it is not known to reflect a newer one than before
   */
  observe(workloads: readonly ObservedWorkload[], applied?: Applied): void {
    this.#applied = applied ?? this.#applied;
    this.#workloads = workloads;
    this.#observed = new Map(
      workloads.map((each) => [workloadId(each.key), { key: each.key, text: JSON.stringify(each) }]),
    );
  }

  /** The orchestrator may know something else than was told: tell all, after what is under way. */
  requireFull(): void {
    this.#known = undefined;
    this.#isFullDue = true;
  }

  /** The report that `next` gave was refused, not lost: its number is free, and all is to be told. */
  refused(): void {
    this.#inFlight = undefined;
    this.requireFull();
  }

  /** The next report, the same until it is acknowledged; undefined where there is nothing to tell. */
  next(): Report | undefined {
    if (this.#inFlight !== undefined) return this.#inFlight.report;
    const observed = this.#observed;
    if (observed === undefined) return undefined;
    const known = this.#known;
    const changed = this.#workloads.filter(
      (each) => known?.get(workloadId(each.key))?.text !== observed.get(workloadId(each.key))?.text,
    );
    const removed = [...(known ?? [])].filter(([id]) => !observed.has(id)).map(([, { key }]) => key);
    const isNews = known === undefined || changed.length > 0 || removed.length > 0;
    if (!isNews && this.#knownApplied === this.#applied) return undefined;
    this.#isFullDue = false;
    const report: Report = {
      full: known === undefined,
      workloads: changed.map(toWire),
      removed,
      ...(this.#applied === undefined
        ? {}
        : { appliedRevision: this.#applied.revision, appliedStateId: this.#applied.stateId }),
    };
    this.#inFlight = { report, known: observed, applied: this.#applied };
    return report;
  }

  /** The report that `next` gave was taken over. */
  acknowledged(): void {
    if (this.#inFlight === undefined) return;
    this.#known = this.#isFullDue ? undefined : this.#inFlight.known;
    this.#knownApplied = this.#inFlight.applied;
    this.#inFlight = undefined;
  }
}

const MAX_TEXT = 2000;

/** Texts come from functions and operating systems, and may be of any length. */
function toWire(workload: ObservedWorkload): Report['workloads'][number] {
  return {
    ...workload,
    instances: workload.instances.map((instance) => ({
      ...instance,
      ...(instance.reason === undefined ? {} : { reason: instance.reason.slice(0, MAX_TEXT) }),
    })),
    ...(workload.problem === undefined ? {} : { problem: workload.problem.slice(0, MAX_TEXT) }),
  };
}
