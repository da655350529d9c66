import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Outcome } from './outcome.ts';

export interface LatencyFigures {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** What devices saw of the service in one second of the play, by when their answers came. */
export interface TimelineEntry {
  /** From 1. */
  readonly second: number;
  readonly plannedPerSecond: number;
  /** Requests that were due. */
  readonly due: number;
  readonly answered: number;
  readonly failed: number;
  readonly late: number;
  readonly inFlight: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  /** Running copies by function, where somebody looked. */
  readonly instances?: Readonly<Record<string, number>>;
}

export interface ProgressFigures extends TimelineEntry {
  readonly totalDue: number;
  readonly totalFailed: number;
}

export interface RequestFigures {
  /** Requests that were due, each of which was answered or failed. */
  readonly due: number;
  readonly answered: number;
  readonly failed: number;
  /** Answered, but later after the intended time than is called late. */
  readonly late: number;
  /** Sent again because a kept connection had been closed meanwhile; not failures. */
  readonly resent: number;
  /** Why requests failed, and how many. */
  readonly faults: Readonly<Record<string, number>>;
}

export interface LoadResult {
  readonly seconds: number;
  readonly requests: RequestFigures;
  readonly lateAfterMilliseconds: number;
  /** From the time at which the device meant to ask to its answer: waiting to be sent counts (coordinated omission). */
  readonly latencyMilliseconds: LatencyFigures;
  /** From when the request was really sent. */
  readonly answerMilliseconds: LatencyFigures;
  /** How much later than meant requests were sent: what the player itself adds on this machine. */
  readonly playerLagMilliseconds: LatencyFigures;
  readonly timeline: readonly TimelineEntry[];
}

const LONGEST_MICROSECONDS = 600_000_000;

const openHistogram = (): RecordableHistogram =>
  createHistogram({ lowest: 1, highest: LONGEST_MICROSECONDS, figures: 3 });

function record(histogram: RecordableHistogram, milliseconds: number): void {
  histogram.record(Math.min(LONGEST_MICROSECONDS, Math.max(1, Math.round(milliseconds * 1000))));
}

const toMilliseconds = (microseconds: number): number => Math.round(microseconds) / 1000;

function figuresOf(histogram: RecordableHistogram): LatencyFigures {
  if (histogram.count === 0) return { mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 };
  const at = (share: number): number => toMilliseconds(histogram.percentile(share));
  return {
    mean: toMilliseconds(histogram.mean),
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: toMilliseconds(histogram.max),
  };
}

/** What is counted in one second of the play. */
interface Second {
  due: number;
  answered: number;
  failed: number;
  late: number;
}

const emptySecond = (): Second => ({ due: 0, answered: 0, failed: 0, late: 0 });

/** The account of a play, in HDR histograms of three significant figures: memory does not grow with the number of requests. */
export class LoadFigures {
  readonly #lateAfter: number;
  readonly #latency = openHistogram();
  readonly #answer = openHistogram();
  readonly #lag = openHistogram();
  readonly #recent = openHistogram();
  readonly #faults = new Map<string, number>([]);
  readonly #timeline: TimelineEntry[] = [];
  #second = emptySecond();
  #total = emptySecond();
  #resent = 0;

  constructor(lateAfterMilliseconds: number) {
    this.#lateAfter = lateAfterMilliseconds;
  }

  get inFlight(): number {
    return this.#total.due - this.#total.answered - this.#total.failed;
  }

  due(): void {
    this.#second.due += 1;
    this.#total.due += 1;
  }

  resent(): void {
    this.#resent += 1;
  }

  /** @param times of the play, in milliseconds */
  ended({ fault }: Outcome, times: { intended: number; sent: number; ended: number }): void {
    if (fault !== undefined) {
      this.#faults.set(fault, (this.#faults.get(fault) ?? 0) + 1);
      this.#count('failed');
      return;
    }
    const latency = times.ended - times.intended;
    record(this.#latency, latency);
    record(this.#recent, latency);
    record(this.#answer, times.ended - times.sent);
    record(this.#lag, times.sent - times.intended);
    this.#count('answered');
    if (latency > this.#lateAfter) this.#count('late');
  }

  /** Closes a second of the play. */
  tick(plannedPerSecond: number, instances?: Readonly<Record<string, number>>): ProgressFigures {
    const { p50, p99 } = figuresOf(this.#recent);
    const entry: TimelineEntry = {
      second: this.#timeline.length + 1,
      plannedPerSecond: Math.round(plannedPerSecond * 100) / 100,
      ...this.#second,
      inFlight: this.inFlight,
      p50Milliseconds: p50,
      p99Milliseconds: p99,
      ...(instances === undefined ? {} : { instances }),
    };
    this.#timeline.push(entry);
    this.#recent.reset();
    this.#second = emptySecond();
    return { ...entry, totalDue: this.#total.due, totalFailed: this.#total.failed };
  }

  result(seconds: number): LoadResult {
    return {
      seconds: Math.round(seconds * 1000) / 1000,
      requests: {
        ...this.#total,
        resent: this.#resent,
        faults: Object.fromEntries([...this.#faults].toSorted(([, a], [, b]) => b - a)),
      },
      lateAfterMilliseconds: this.#lateAfter,
      latencyMilliseconds: figuresOf(this.#latency),
      answerMilliseconds: figuresOf(this.#answer),
      playerLagMilliseconds: figuresOf(this.#lag),
      timeline: this.#timeline,
    };
  }

  #count(what: keyof Second): void {
    this.#second[what] += 1;
    this.#total[what] += 1;
  }
}
