/** How long what served was too little. */
export interface Breaches {
  readonly breaches: number;
  readonly meanSeconds: number;
  readonly longestSeconds: number;
}

export interface Sample {
  readonly seconds: number;
  /** Requests per second. */
  readonly demand: number;
  /** Instances that serve. */
  readonly running: number;
  /** Instances that are there at all: they cost, whether they serve yet or still. */
  readonly present: number;
}

/** The times in which demand was above what served, as `iotmano scaling replay` counts them. Each sample holds until the next one. */
export function breachesOf(samples: readonly Sample[], perInstance: number): Breaches {
  const lengths: number[] = [];
  let isBreached = false;
  for (const [index, { seconds, demand, running }] of samples.entries()) {
    const lasts = (samples[index + 1]?.seconds ?? seconds) - seconds;
    const isAbove = demand > running * perInstance;
    if (isAbove && isBreached) lengths.push((lengths.pop() ?? 0) + lasts);
    else if (isAbove) lengths.push(lasts);
    isBreached = isAbove;
  }
  const whole = lengths.reduce((sum, length) => sum + length, 0);
  return {
    breaches: lengths.length,
    meanSeconds: lengths.length === 0 ? 0 : whole / lengths.length,
    longestSeconds: Math.max(0, ...lengths),
  };
}

/** What instances cost over the samples. */
export function instanceSecondsOf(samples: readonly Sample[]): number {
  return samples.reduce(
    (sum, { seconds, present }, index) =>
      sum + present * ((samples[index + 1]?.seconds ?? seconds) - seconds),
    0,
  );
}
