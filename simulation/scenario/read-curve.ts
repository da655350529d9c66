import type { ScalingAspect } from '../../descriptors/index.ts';
import type { Building } from './building.ts';
import { unreadable } from './read-descriptor.ts';
import type { DemandPoint } from './types.ts';

/** `timestamp,value`: as in the Numenta Anomaly Benchmark, times in UTC. */
const ROW = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}),(-?\d{1,15}(?:\.\d{1,15})?)$/;

/** Steps of an aspect over time, within its bounds; only where they change. */
export function readCurve(
  { readFile, found }: Building,
  {
    file,
    aspect,
    valuePerStep,
  }: { readonly file: string; readonly aspect: ScalingAspect; readonly valuePerStep: number },
  pointer: string,
): readonly DemandPoint[] {
  let text: string;
  try {
    text = readFile(file);
  } catch (error) {
    found(unreadable(`${pointer}/file`, file, error));
    return [];
  }
  const rows = text.trim().split(/\r?\n/);
  const points: DemandPoint[] = [];
  let start: number | undefined;
  for (const [at, row] of rows.entries()) {
    if (at === 0 && row === 'timestamp,value') continue;
    const time = timeOf(row);
    if (time === undefined || time < (start ?? time)) {
      found({
        rule: 'demand-curve',
        pointer: `${pointer}/file`,
        message: `line ${at + 1} of ${file} is ${JSON.stringify(row.slice(0, 60))}`,
        remedy:
          'each line holds a time and a value, in order of time, e.g. `2030-01-01 00:30:00,8127`, after the line `timestamp,value`',
      });
      return [];
    }
    start ??= time;
    const value = Number(row.slice(row.lastIndexOf(',') + 1));
    const steps = Math.min(aspect.max, Math.max(aspect.min, Math.ceil(value / valuePerStep)));
    if (points.at(-1)?.steps !== steps) points.push({ afterSeconds: (time - start) / 1000, steps });
  }
  return points;
}

function timeOf(row: string): number | undefined {
  const [, date, time] = ROW.exec(row) ?? [];
  const parsed = Date.parse(`${date}T${time}Z`);
  return Number.isNaN(parsed) ? undefined : parsed;
}
