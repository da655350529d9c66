import { IotmanoError } from '../../../kernel/index.ts';

/** Demand over time: between two points it lies on the line between them. */
export interface DemandTrace {
  /** In order of time; seconds since the first one. At least two. */
  readonly points: readonly { readonly seconds: number; readonly value: number }[];
}

const MOST_ROWS = 1_000_000;

/**
 * Reads `timestamp,value` rows, the first line being their heading. Demand below zero is none.
 * @param file its name, for the message
 * @throws IotmanoError `invalid-parameter` naming the line
 */
export function parseDemandTrace(text: string, file: string): DemandTrace {
  const lines = text.split(/\r?\n/);
  if (lines.length > MOST_ROWS) throw fault(file, lines.length, `more than ${MOST_ROWS} rows`);
  const points: { seconds: number; value: number }[] = [];
  let start = 0;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || (index === 0 && !/\d/.test(line.split(',')[1] ?? ''))) continue;
    const [timestamp = '', value = '', ...more] = line.split(',');
    const at = timeOf(timestamp);
    const demand = Number(value);
    if (more.length > 0 || Number.isNaN(at) || value.trim() === '' || !Number.isFinite(demand))
      throw fault(file, index + 1, `\`${line.slice(0, 80)}\` is not \`timestamp,value\``);
    if (points.length === 0) start = at;
    const seconds = (at - start) / 1000;
    if (seconds <= (points.at(-1)?.seconds ?? -Infinity)) continue;
    points.push({ seconds, value: Math.max(0, demand) });
  }
  if (points.length < 2) throw fault(file, lines.length, 'fewer than two rows at different times');
  return { points };
}

/** RFC 3339, or the same without a zone, which is taken for UTC; or seconds. */
function timeOf(text: string): number {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed) * 1000;
  const isBare = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d+)?$/.test(trimmed);
  return Date.parse(isBare ? `${trimmed.replace(' ', 'T')}Z` : trimmed);
}

function fault(file: string, line: number, what: string): IotmanoError {
  return new IotmanoError(
    'invalid-parameter',
    `${file}:${line}: ${what}; a trace is a line \`timestamp,value\` and such rows, e.g. \`2015-09-01 13:45:00,3.06\``,
  );
}

/** Half of the rows follow each other within this time. */
export function usualSpacing({ points }: DemandTrace): number {
  const gaps = points.flatMap(({ seconds }, index) => {
    const before = points[index - 1];
    return before === undefined ? [] : [seconds - before.seconds];
  });
  return gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 1;
}

export function peakOf({ points }: DemandTrace): number {
  return Math.max(...points.map(({ value }) => value));
}

/** Walks a trace forward: to be asked for later and later times. */
export function walkTrace({ points }: DemandTrace): (seconds: number) => number {
  let index = 0;
  return (seconds) => {
    while (index < points.length - 2 && (points[index + 1]?.seconds ?? Infinity) <= seconds) index += 1;
    const from = points[index];
    const to = points[index + 1];
    if (from === undefined || to === undefined) return 0;
    const share = Math.min(1, (seconds - from.seconds) / (to.seconds - from.seconds));
    return from.value + (to.value - from.value) * share;
  };
}
