import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { FiguresSnapshot, Observation, TrafficFigures } from './figures.ts';

/** Figures that survive a restart. */
export interface Journal {
  /** Writes the observation down, then counts it: what this returned from is not forgotten. */
  record(observation: Observation): void;
  close(): void;
}

interface Snapshot {
  /** Which file holds the observations that came after it. */
  readonly generation: number;
  readonly figures: FiguresSnapshot;
}

const SNAPSHOT = 'figures.json';

/**
 * Gives the figures back what they were, and keeps them from now on: a snapshot, and one line of JSON for each observation
 * since. After `maxLines` a new snapshot takes the place of both, so that neither disk nor start grow with time.
 */
export function openJournal(directory: string, figures: TrafficFigures, maxLines = 100_000): Journal {
  mkdirSync(directory, { recursive: true });
  const fileOf = (generation: number): string => join(directory, `observations-${generation}.jsonl`);
  const snapshot = parse<Snapshot>(read(join(directory, SNAPSHOT)));
  let generation = snapshot?.generation ?? 0;
  if (snapshot !== undefined) figures.restore(snapshot.figures);
  // Where a crash came between the snapshot and this.
  rmSync(fileOf(generation - 1), { force: true });
  let lines = replay(read(fileOf(generation)), figures);
  let descriptor = openLines(fileOf(generation));

  const compact = (): void => {
    const next: Snapshot = { generation: generation + 1, figures: figures.snapshot() };
    replaceFile(join(directory, SNAPSHOT), JSON.stringify(next));
    closeSync(descriptor);
    rmSync(fileOf(generation));
    generation = next.generation;
    descriptor = openLines(fileOf(generation));
    lines = 0;
  };
  return {
    record: (observation) => {
      writeSync(descriptor, `${JSON.stringify(observation)}\n`);
      figures.add(observation);
      lines += 1;
      if (lines >= maxLines) compact();
    },
    close: () => closeSync(descriptor),
  };
}

/** Counts the observations of a file; a line that was cut off by a crash is passed over. @returns how many there were */
function replay(text: string, figures: TrafficFigures): number {
  const observations = text.split('\n').flatMap((line) => parse<Observation>(line) ?? []);
  for (const observation of observations) figures.add(observation);
  return observations.length;
}

function openLines(file: string): number {
  const descriptor = openSync(file, 'a', 0o600);
  // Ends a line that was cut off.
  writeSync(descriptor, '\n');
  return descriptor;
}

function replaceFile(file: string, text: string): void {
  const descriptor = openSync(`${file}.new`, 'w', 0o600);
  writeFileSync(descriptor, text);
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(`${file}.new`, file);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function parse<Value>(text: string): Value | undefined {
  try {
    return text === '' ? undefined : (JSON.parse(text) as Value);
  } catch {
    return undefined;
  }
}
