import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTrace, renderTrace } from '../../load/index.ts';
import { parseDemandTrace, usualSpacing, type DemandTrace } from '../../orchestrator/scaling/replay/index.ts';

/** A demand curve that the project carries, and how fast it is replayed. */
export interface CarriedTrace {
  readonly name: string;
  readonly trace: DemandTrace;
  /** Seconds of the trace in one. */
  readonly speed: number;
  /** In which demand moves, at that speed. */
  readonly stepSeconds: number;
}

const ROOT = join(import.meta.dirname, '../..');
const TAXI = 'simulation/scenarios/data/nyc-taxi-thanksgiving-2014.csv';
const ROAD = 'vnf-catalog/data/road-traffic';
/** Of the Numenta Anomaly Benchmark. Speed is no demand by itself, but a curve as any other. */
const RECORDED = [
  TAXI,
  ...[
    'occupancy_6005',
    'occupancy_t4013',
    'TravelTime_387',
    'TravelTime_451',
    'speed_6005',
    'speed_7578',
    'speed_t4013',
  ].map((name) => `${ROAD}/${name}.csv`),
];
/** At its own pace a recorded curve moves so slowly that no rule is late: its rows follow each other in so many seconds. */
const ROW_SECONDS = [60, 10] as const;
/** In which generated curves move that are replayed at their own pace. */
export const OWN_STEP_SECONDS = 5;
const SEED = 1;

/**
 * Every trace, recorded ones at two paces, generated ones at their own but for the one of eight days.
 * @param rows of each recorded one, from its beginning: forecasts over all of the longest take minutes
 */
export function carriedTraces(rows: number): readonly CarriedTrace[] {
  const recorded = RECORDED.map((file) => {
    const name = file.replace(/^.*\/|\.csv$/g, '');
    const { points } = parseDemandTrace(readFileSync(join(ROOT, file), 'utf8'), file);
    return { name, trace: { points: points.slice(0, rows) } };
  });
  const departure = generated('holiday-departure');
  return [
    ...[...recorded, departure].flatMap(({ name, trace }) =>
      ROW_SECONDS.map((row) => ({
        name: `${name}, a row in ${row} s`,
        trace,
        speed: usualSpacing(trace) / row,
        stepSeconds: row,
      })),
    ),
    { ...generated('reconnection-burst'), speed: 1, stepSeconds: OWN_STEP_SECONDS },
    { ...generated(METERING), speed: 1, stepSeconds: OWN_STEP_SECONDS },
  ];
}

/** The one whose rhythm a calendar knows. */
export const METERING = 'metering-slots';

function generated(name: string): { readonly name: string; readonly trace: DemandTrace } {
  const text = renderTrace(readTrace(`generated:${name}`, SEED));
  return { name, trace: parseDemandTrace(text, name) };
}
