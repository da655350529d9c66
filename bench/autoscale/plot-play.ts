import { linearScale, logScale, renderPlot } from '../plot/index.ts';
import { LATE_MILLISECONDS, LEVELS, perInstanceOf, type Played, type PlayTerms } from './play-for-real.ts';

/** Demand with what serves, instances, and latency of a play over time. The axes follow from what was played alone, so that plots can be compared. */
export function plotPlay({ outcome, load, samples }: Played, terms: PlayTerms): string {
  const { peakPerSecond, declared } = terms;
  const perInstance = perInstanceOf(declared);
  const end = Math.ceil(samples.at(-1)?.seconds ?? 1);
  // Answers may come after the last request.
  const timeline = load.timeline.filter(({ second }) => second <= end);
  const ofTimeline = (value: (entry: (typeof timeline)[number]) => number) =>
    timeline.map((entry) => [entry.second - 0.5, value(entry)] as const);
  const ofSamples = (value: (sample: (typeof samples)[number]) => number) =>
    samples.map((sample) => [sample.seconds, value(sample)] as const);
  const answered = timeline.filter(({ answered: count }) => count > 0);
  const latency = (value: 'p50Milliseconds' | 'p99Milliseconds') =>
    answered.map((entry) => [entry.second - 0.5, entry[value] / 1000] as const);
  return renderPlot({
    title: `${outcome.policy} on ${outcome.trace}: ${(outcome.lateShare * 100).toFixed(1)} % late or failed, ${Math.round(outcome.instanceSeconds)} instance-seconds`,
    subtitle: `${paceOf(terms)}; declared capacity: ${perInstance} requests/s for each instance`,
    xLabel: 'seconds of the play',
    xScale: linearScale(end),
    panels: [
      {
        label: 'requests/s',
        scale: linearScale(Math.max(peakPerSecond, LEVELS.max * perInstance)),
        lines: [
          { name: 'due', colour: 1, points: ofTimeline(({ due }) => due) },
          {
            name: 'what serves can do',
            colour: 2,
            isStepped: true,
            points: ofSamples(({ running }) => running * perInstance),
          },
        ],
      },
      {
        label: 'instances',
        scale: linearScale(LEVELS.max),
        lines: [
          { name: 'there', colour: 3, isStepped: true, points: ofSamples(({ present }) => present) },
          { name: 'running', colour: 1, isStepped: true, points: ofSamples(({ running }) => running) },
        ],
      },
      {
        label: 'latency, s',
        scale: logScale(0.1, 100),
        limit: { value: LATE_MILLISECONDS / 1000, name: 'late' },
        lines: [
          { name: 'p50', colour: 1, points: latency('p50Milliseconds') },
          { name: 'p99', colour: 2, points: latency('p99Milliseconds') },
        ],
      },
    ],
  });
}

function paceOf({ traceSpeed, periodSpeed }: PlayTerms): string {
  if (traceSpeed === 1 && periodSpeed === 1) return 'in real time';
  return `trace ${traceSpeed} times as fast, periods of the rule ${periodSpeed} times as short`;
}
