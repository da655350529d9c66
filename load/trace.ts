/** A demand curve: each value holds from its time to that of the next point, the last for as long as the one before it. */
export interface Trace {
  readonly name: string;
  /** Of the first point, milliseconds since the Unix epoch. */
  readonly startsAt: number;
  /** At least two, in order of time. */
  readonly points: readonly TracePoint[];
}

export interface TracePoint {
  /** After the first point. */
  readonly atSeconds: number;
  /** Demand, in whatever unit; never negative. */
  readonly value: number;
}

/** From the first point to the end of the last. */
export function lengthSeconds({ points }: Pick<Trace, 'points'>): number {
  const last = points.at(-1)?.atSeconds ?? 0;
  return last + (last - (points.at(-2)?.atSeconds ?? last));
}
