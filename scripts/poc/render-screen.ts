import type { ProgressFigures } from '../../load/index.ts';
import { ACTS, type Act } from './story.ts';
import { DEMAND, MOST_COPIES } from './timetable.ts';

/** All that is on the screen. */
export interface Sight {
  /** Since the demonstration began. */
  readonly seconds: number;
  /** What is happening. */
  readonly act: Act;
  /** Seconds of the load so far. */
  readonly load: readonly ProgressFigures[];
  /** Running copies of request processing by version, in words; empty before there is a service. */
  readonly versions: string;
  /** Running copies of every function. */
  readonly running: Readonly<Record<string, number>>;
  /** The latest ones last. */
  readonly events: readonly string[];
}

const CURVE_SECONDS = 60;
const EVENTS = 8;
const LEVELS = '▁▂▃▄▅▆▇█';

/** One screen, in lines. */
export function renderScreen(sight: Sight): string[] {
  const { act, load, versions, running, events } = sight;
  const now = load.at(-1);
  const acts = ACTS.map((each, index) => markOf(each, index, act)).join('   ');
  const instances = Object.entries(running).map(([name, count]) => `${name} ${count}`);
  return [
    `iotmano: horizontal up and down auto-scaling (ETSI TR 103 527 clause 5.5)   ${clockText(sight.seconds)}`,
    '',
    acts,
    '',
    `demand      ${curve(load, ({ plannedPerSecond }) => plannedPerSecond, DEMAND.high)}  ${(now?.plannedPerSecond ?? 0).toFixed(0)}/s`,
    `instances   ${curve(load, ({ instances: all }) => all?.['processing'] ?? 0, MOST_COPIES)}  ${versions}`,
    `p99         ${curve(load, ({ p99Milliseconds }) => p99Milliseconds, highestOf(load))}  p50 ${(now?.p50Milliseconds ?? 0).toFixed(0)} ms, p99 ${(now?.p99Milliseconds ?? 0).toFixed(0)} ms`,
    '',
    `answered ${now?.answered ?? 0}/s   late ${now?.late ?? 0}/s   in flight ${now?.inFlight ?? 0}   requests ${now?.totalDue ?? 0}   failed ${now?.totalFailed ?? 0}`,
    `running  ${instances.join(', ')}`,
    '',
    ...Array.from({ length: EVENTS }, (_, index) => events.slice(-EVENTS)[index] ?? ''),
  ];
}

function markOf(each: Act, index: number, act: Act): string {
  const at = ACTS.indexOf(act);
  if (index < at) return `✔ ${each}`;
  return index === at ? `▶ ${each.toUpperCase()}` : `· ${each}`;
}

const highestOf = (load: readonly ProgressFigures[]): number =>
  load.slice(-CURVE_SECONDS).reduce((most, { p99Milliseconds }) => Math.max(most, p99Milliseconds), 1);

/** The last minute, a sign for each second; always as wide. */
function curve(
  load: readonly ProgressFigures[],
  valueOf: (second: ProgressFigures) => number,
  highest: number,
): string {
  const signs = load.slice(-CURVE_SECONDS).map((second) => {
    const share = Math.min(1, Math.max(0, valueOf(second) / highest));
    return LEVELS[Math.round(share * (LEVELS.length - 1))] ?? ' ';
  });
  return signs.join('').padStart(CURVE_SECONDS);
}

/** `1:07` */
export function clockText(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
