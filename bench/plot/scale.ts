/** From values to places on an axis, 0 at its beginning and 1 at its end; what lies beyond is at the end. */
export interface AxisScale {
  readonly place: (value: number) => number;
  readonly ticks: readonly number[];
}

const clamp = (share: number): number => Math.min(1, Math.max(0, share));

/** From 0 to a round number that is `most` at least. */
export function linearScale(most: number): AxisScale {
  const step = roundStep(Math.max(most, 1e-9));
  const count = Math.max(1, Math.ceil(most / step - 1e-9));
  return {
    place: (value) => clamp(value / (step * count)),
    ticks: Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12))),
  };
}

/** Powers of ten, both ends included. @param from, to powers of ten above 0 */
export function logScale(from: number, to: number): AxisScale {
  const [low, high] = [Math.round(Math.log10(from)), Math.round(Math.log10(to))];
  return {
    place: (value) => (value <= 0 ? 0 : clamp((Math.log10(value) - low) / (high - low))),
    ticks: Array.from({ length: high - low + 1 }, (_, index) =>
      Number((10 ** (low + index)).toPrecision(12)),
    ),
  };
}

/** 1, 2 or 5 times a power of ten, such that there are two to five steps. */
function roundStep(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 2));
  return [1, 2, 5].map((times) => times * power).find((step) => most / step <= 5) ?? 10 * power;
}
