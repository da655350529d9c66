import { cpus } from 'node:os';
import type { Layout } from './layout.ts';
import { readRecord, replaceFile } from './state-files.ts';

/** Rounds per millisecond of the loop below on the reference core (a 2.6 GHz Xeon of the Ice Lake generation, Node 24). */
const REFERENCE_ROUNDS_PER_MILLISECOND = 125_000;
const ROUNDS = 4_000_000;
const SAMPLES = 5;

interface StoredScore {
  readonly processor: string;
  readonly score: number;
}

/** How fast one core of this host is compared with the reference core; measured once and kept on disk. */
export async function coreScore(layout: Layout): Promise<number> {
  const processor = cpus()[0]?.model ?? process.arch;
  const stored = await readRecord<StoredScore>(layout.scoreFile);
  if (stored?.processor === processor) return stored.score;
  const score = measureScore();
  await replaceFile(layout.scoreFile, `${JSON.stringify({ processor, score } satisfies StoredScore)}\n`);
  return score;
}

/** The best of several samples, in time of the processor: a busy machine makes them wait, and single ones slow, never fast. */
function measureScore(): number {
  let best = Number.POSITIVE_INFINITY;
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const before = process.threadCpuUsage();
    spin(ROUNDS);
    best = Math.min(best, process.threadCpuUsage(before).user / 1000);
  }
  const score = ROUNDS / best / REFERENCE_ROUNDS_PER_MILLISECOND;
  return Math.min(20, Math.max(0.05, Math.round(score * 20) / 20));
}

/** Integer work with a chain of dependencies: measures the core, neither its caches nor its memory. */
function spin(rounds: number): number {
  let state = 0x2545f491;
  for (let round = 0; round < rounds; round += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state = Math.imul(state, 0x9e3779b1) + round;
  }
  return state;
}
