import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Observation } from './figures.ts';

/** Observations in the order that they came, one line of JSON each; written before a notification is accepted. */
export interface Journal {
  append(observation: Observation): void;
  close(): void;
}

/** Opens the journal and hands over what it holds; a line that was cut off by a crash is passed over. */
export function openJournal(file: string, replay: (observation: Observation) => void): Journal {
  mkdirSync(dirname(file), { recursive: true });
  for (const line of readLines(file)) {
    const observation = parseLine(line);
    if (observation !== undefined) replay(observation);
  }
  const descriptor = openSync(file, 'a', 0o600);
  // Ends a line that was cut off.
  writeSync(descriptor, '\n');
  return {
    append: (observation) => void writeSync(descriptor, `${JSON.stringify(observation)}\n`),
    close: () => closeSync(descriptor),
  };
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}

function parseLine(line: string): Observation | undefined {
  if (line === '') return undefined;
  try {
    return JSON.parse(line) as Observation;
  } catch {
    return undefined;
  }
}
