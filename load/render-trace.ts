import type { Trace } from './trace.ts';

/** The trace as text that `parseTrace` reads. */
export function renderTrace({ startsAt, points }: Trace): string {
  const rows = points.map(({ atSeconds, value }) => {
    const time = new Date(startsAt + atSeconds * 1000).toISOString();
    return `${time.slice(0, 10)} ${time.slice(11, 19)},${value}`;
  });
  return `timestamp,value\n${rows.join('\n')}\n`;
}
