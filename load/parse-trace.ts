import { IotmanoError } from '../kernel/index.ts';
import type { Trace, TracePoint } from './trace.ts';

const HEAD = 'timestamp,value';
const ROW = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(?:\.\d{1,9})?Z?,(\d{1,15}(?:\.\d{1,15})?)$/;
/** A curve of a year in steps of half a minute. */
const MAX_ROWS = 1_100_000;

/**
 * Parses a demand curve: a line `timestamp,value`, then one row for each point in order of time, as in the Numenta Anomaly Benchmark.
 * Times are in UTC; of two rows of one time, as recordings have them, the second holds.
 * @param name file name, for messages
 * @throws IotmanoError `invalid-parameter` naming file, line and remedy
 */
export function parseTrace(name: string, text: string): Trace {
  const rows = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  while (rows.at(-1)?.trim() === '') rows.pop();
  if (rows[0]?.trim() !== HEAD) throw fault(name, 1, rows[0] ?? '', `the first line of a trace is "${HEAD}"`);
  if (rows.length < 3)
    throw fault(name, rows.length, rows.at(-1) ?? '', 'a trace has at least two rows after its first line');
  if (rows.length > MAX_ROWS)
    throw fault(name, MAX_ROWS + 1, '', `a trace has at most ${MAX_ROWS} rows; take a part of it`);
  let startsAt: number | undefined;
  let before: number | undefined;
  const points = rows.slice(1).map((row, index): TracePoint => {
    const line = index + 2;
    const [, date = '', time = '', value = ''] = ROW.exec(row) ?? [];
    const at = Date.parse(`${date}T${time}Z`);
    if (Number.isNaN(at))
      throw fault(
        name,
        line,
        row,
        'each row is a time and a value of at least 0, e.g. 2030-01-01 00:30:00,8127',
      );
    if (before !== undefined && at < before)
      throw fault(name, line, row, 'no row is earlier than the one before it; sort them by time');
    before = at;
    startsAt ??= at;
    return { atSeconds: (at - startsAt) / 1000, value: Number(value) };
  });
  if (points.every(({ value }) => value === 0))
    throw fault(name, 2, rows[1] ?? '', 'a trace has at least one value above 0');
  return { name, startsAt: startsAt ?? 0, points };
}

function fault(name: string, line: number, row: string, remedy: string): IotmanoError {
  const found = JSON.stringify(row.length > 60 ? `${row.slice(0, 60)}…` : row);
  return new IotmanoError('invalid-parameter', `${name}:${line}: ${found}: ${remedy}`, { file: name, line });
}
