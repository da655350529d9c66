import { connect } from 'node:net';
import { toTimestamp, type Clock } from '../../kernel/index.ts';
import type { HostFacts } from './facts.ts';

/** Where to measure to, and what the measurement is of. */
export interface LatencyTarget {
  /** A host, the value of its label `zone`, or `label=value`. */
  readonly to: string;
  /** Something there that accepts TCP connections. */
  readonly address: string;
  readonly port: number;
}

export interface LatencyProbe {
  /** The 95th percentile of the round trips of the last ten minutes, for each target that answers. */
  measurements(): HostFacts['latencies'];
  /** Measures until the signal is aborted. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

export interface LatencyProbeOptions {
  readonly targets: readonly LatencyTarget[];
  readonly clock: Clock;
  /** Milliseconds that a connection takes to be accepted; rejects where it is not. */
  readonly measure?: (target: LatencyTarget) => Promise<number>;
}

const EVERY_MILLISECONDS = 30_000;
const SAMPLES_KEPT = 20;
const TIMEOUT_MILLISECONDS = 5000;

/** Measures how far the targets are: the time until a TCP connection is accepted is one round trip. Nothing is sent over it. */
export function createLatencyProbe({
  targets,
  clock,
  measure = (target) => connectionTime(target, clock),
}: LatencyProbeOptions): LatencyProbe {
  /** Newest last; what did not answer is infinitely far. */
  const samples = new Map<LatencyTarget, number[]>(targets.map((target) => [target, []]));
  const measuredAt = new Map<LatencyTarget, string>();

  async function sample(target: LatencyTarget): Promise<void> {
    const milliseconds = await measure(target).catch(() => Infinity);
    const known = samples.get(target) ?? [];
    samples.set(target, [...known, milliseconds].slice(-SAMPLES_KEPT));
    measuredAt.set(target, toTimestamp(clock.now()));
  }

  return {
    measurements: () =>
      targets.flatMap((target) => {
        const p95Milliseconds = percentile95(samples.get(target) ?? []);
        const at = measuredAt.get(target);
        if (at === undefined || !Number.isFinite(p95Milliseconds)) return [];
        return [{ to: target.to, p95Milliseconds: Math.round(p95Milliseconds * 100) / 100, measuredAt: at }];
      }),
    run: async (signal) => {
      while (targets.length > 0 && !signal.aborted) {
        await Promise.all(targets.map(sample));
        await clock.sleep(EVERY_MILLISECONDS, signal);
      }
    },
  };
}

/** Nearest rank. */
function percentile95(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Infinity;
}

/** Finding the address by its name does not count. */
function connectionTime({ address, port }: LatencyTarget, clock: Clock): Promise<number> {
  return new Promise((resolve, reject) => {
    let begin = clock.monotonic();
    const socket = connect({ host: address, port });
    socket.setTimeout(TIMEOUT_MILLISECONDS, () => socket.destroy(new RangeError('no answer in time')));
    socket.once('lookup', () => {
      begin = clock.monotonic();
    });
    socket.once('connect', () => {
      resolve(clock.monotonic() - begin);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
