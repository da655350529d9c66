import type { Probe } from '../../descriptors/index.ts';
import type { WorkloadSpec } from '../contract.ts';

export type Health = 'starting' | 'ready' | 'unready' | 'dead';

type ProbeName = 'ready' | 'alive';

interface Track {
  readonly probe: Probe;
  dueAt: number;
  failures: number;
}

const FIRST_PROBE_MILLISECONDS = 20;

/**
 * When to probe a running instance, and what the answers mean. Readiness is asked for often until it is there for the first time, then at the
 * descriptor's pace; `failAfter` failures in a row count. Pure: time and answers are told to it.
 */
export class HealthTracker {
  readonly #ready: Track | undefined;
  readonly #alive: Track | undefined;
  #health: Health;
  #eager = FIRST_PROBE_MILLISECONDS;
  #reason: string | undefined;

  /** @param known what an earlier look at the same run has found */
  constructor(
    probes: WorkloadSpec['probes'],
    now: number,
    known: 'starting' | 'ready' | 'unready',
    knownReason?: string,
  ) {
    const wasReady = known !== 'starting';
    const track = (probe: Probe | undefined, dueAt: number): Track | undefined =>
      probe === undefined ? undefined : { probe, dueAt, failures: 0 };
    this.#ready = track(probes.ready, wasReady ? now : now + FIRST_PROBE_MILLISECONDS);
    const { alive } = probes;
    // While it starts, being slow is no sign of death: the first look comes when a running one would have been given up.
    this.#alive = track(
      alive,
      now + (alive?.everySeconds ?? 0) * 1000 * (wasReady ? 1 : (alive?.failAfter ?? 1)),
    );
    this.#health = probes.ready === undefined ? 'ready' : known;
    if (this.#health === 'unready') this.#reason = knownReason;
  }

  get health(): Health {
    return this.#health;
  }

  /** Why it is not ready or not alive. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** The probe that is due next, and when; nothing when there is none. */
  next(): { readonly name: ProbeName; readonly probe: Probe; readonly dueAt: number } | undefined {
    const { probe, dueAt } = this.#earliest() ?? {};
    if (probe === undefined || dueAt === undefined) return undefined;
    return { name: probe === this.#ready?.probe ? 'ready' : 'alive', probe, dueAt };
  }

  #earliest(): Track | undefined {
    if (this.#ready === undefined) return this.#alive;
    if (this.#alive === undefined) return this.#ready;
    return this.#alive.dueAt < this.#ready.dueAt ? this.#alive : this.#ready;
  }

  /** Tells the answer of a probe: nothing, or what was wrong. */
  record(name: ProbeName, fault: string | undefined, now: number): void {
    const track = name === 'ready' ? this.#ready : this.#alive;
    if (track === undefined) return;
    track.failures = fault === undefined ? 0 : track.failures + 1;
    track.dueAt = now + this.#pause(name, track, fault);
    if (name === 'ready') this.#recordReady(track, fault);
    else if (track.failures >= track.probe.failAfter) {
      this.#health = 'dead';
      this.#reason = `not alive (${track.failures} probes failed in a row): ${fault ?? ''}`;
    }
  }

  #recordReady(track: Track, fault: string | undefined): void {
    if (fault === undefined) {
      this.#health = 'ready';
      this.#reason = undefined;
    } else if (this.#health === 'starting') {
      this.#reason = `not ready yet: ${fault}`;
    } else if (track.failures >= track.probe.failAfter) {
      this.#health = 'unready';
      this.#reason = `not ready (${track.failures} probes failed in a row): ${fault}`;
    }
  }

  #pause(name: ProbeName, track: Track, fault: string | undefined): number {
    const pace = track.probe.everySeconds * 1000;
    if (name === 'alive' || fault === undefined || this.#health !== 'starting') return pace;
    const pause = Math.min(pace, this.#eager);
    this.#eager *= 1.3;
    return pause;
  }
}
