import { workloadId, type ObservedWorkload, type Workload, type WorkloadId } from '../contract.ts';

/** An apply that is under way and has not been taken over: its image is still being fetched. */
export interface Preparation {
  readonly id: WorkloadId;
  readonly workload: Workload;
  readonly since: string;
  readonly signal: AbortSignal;
  report(progress: string): void;
}

/** What is on its way in, so that it is seen before any container is there. */
export class Preparations {
  readonly #underWay = new Map<
    Preparation,
    { progress: string | undefined; readonly ending: AbortController }
  >();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  begin(id: WorkloadId, workload: Workload, since: string): Preparation {
    const ending = new AbortController();
    const state = { progress: undefined as string | undefined, ending };
    const preparation: Preparation = {
      id,
      workload,
      since,
      signal: ending.signal,
      report: (progress) => {
        if (state.progress === progress) return;
        state.progress = progress;
        this.#changed();
      },
    };
    this.#underWay.set(preparation, state);
    return preparation;
  }

  end(preparation: Preparation): void {
    this.#underWay.delete(preparation);
  }

  /** The workload is no longer wanted: what was begun for it ends. */
  cancel(id: WorkloadId): void {
    for (const [preparation, { ending }] of this.#underWay) if (preparation.id === id) ending.abort();
  }

  cancelAll(): void {
    for (const { ending } of this.#underWay.values()) ending.abort();
  }

  /** What is, with the instances that wait for their image. */
  complete(hosted: readonly ObservedWorkload[]): readonly ObservedWorkload[] {
    const byId = new Map(hosted.map((workload) => [workloadId(workload.key), workload]));
    for (const [{ id, workload, since, signal }, { progress }] of this.#underWay) {
      if (signal.aborted) continue;
      const known = byId.get(id);
      const slots = new Set(known?.instances.map(({ slot }) => slot));
      const waiting = workload.instances
        .filter(({ slot }) => !slots.has(slot))
        .map(({ slot, epoch }) => ({
          slot,
          epoch,
          state: 'PENDING' as const,
          since,
          restarts: 0,
          ports: {},
          reason: progress ?? 'waiting for its image',
        }));
      byId.set(id, {
        key: workload.key,
        specHash: known?.specHash ?? workload.specHash,
        instances: [...(known?.instances ?? []), ...waiting].toSorted((a, b) => a.slot - b.slot),
      });
    }
    return [...byId.values()];
  }
}
