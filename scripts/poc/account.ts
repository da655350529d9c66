import Table from 'cli-table3';
import { declaredText } from '../../cli/index.ts';
import type { TimelineEntry } from '../../load/index.ts';
import { REQUEST_PROCESSING } from '../demo/chaos.ts';
import type { PlayedLoad } from './load-player.ts';
import type { Story } from './story.ts';
import { MOST_COPIES } from './timetable.ts';
import type { AutomaticStep, CopiesSince } from './watch.ts';

/** The last line of stdout. Seconds have three digits at most. */
export interface PocResult {
  readonly seconds: number;
  readonly requests: number;
  /** No answer, or another one than success: has to be 0. */
  readonly failed: number;
  /** Why, and how many. */
  readonly faults: Readonly<Record<string, number>>;
  readonly late: number;
  readonly lateAfterMilliseconds: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  /** From the moment at which the demand jumps. */
  readonly reactionSeconds: {
    /** Until the policy took its first step. */
    readonly decided: number;
    /** Until the first new copy ran. */
    readonly serving: number;
    /** Until as many ran as there were at most. */
    readonly whole: number;
  };
  readonly healSeconds: Story['healSeconds'];
  readonly upgrade: { readonly seconds: number; readonly failed: number; readonly late: number };
  /** From the moment at which the demand falls until only the least number of copies runs. */
  readonly scaleInSeconds: number;
  /** Of request processing: one copy that runs for a second is one. */
  readonly instanceSeconds: number;
  /** What the highest number all along would have been. */
  readonly instanceSecondsAtMost: number;
  readonly declared: PlayedLoad['declared'];
  /** Every act came to pass, and no request failed. */
  readonly isWhole: boolean;
}

/** What the orchestrator was seen to do. */
export interface Observed {
  readonly changes: readonly CopiesSince[];
  readonly steps: readonly AutomaticStep[];
}

/** The figures of a story that has been told to its end. */
export function accountStory(story: Story, { changes, steps }: Observed): PocResult {
  const { played, breachAt, fallAt, beganAt, upgrade, restedAt } = story;
  const { timeline, requests, latencyMilliseconds } = played;
  const before = changes.findLast(({ at }) => at <= breachAt)?.running ?? 1;
  const since = (moment: { readonly at: number } | undefined): number =>
    rounded(((moment?.at ?? Number.NaN) - breachAt) / 1000);
  const after = changes.filter(({ at }) => at > breachAt);
  const during = between(timeline, (upgrade.from - beganAt) / 1000, (upgrade.to - beganAt) / 1000);
  const result = {
    seconds: played.seconds,
    requests: requests.due,
    failed: requests.failed,
    faults: requests.faults,
    late: requests.late,
    lateAfterMilliseconds: played.lateAfterMilliseconds,
    p50Milliseconds: latencyMilliseconds.p50,
    p99Milliseconds: latencyMilliseconds.p99,
    reactionSeconds: {
      decided: since(steps.find(({ at }) => at > breachAt)),
      serving: since(after.find(({ running }) => running > before)),
      whole: since(after.find(({ running }) => running >= MOST_COPIES)),
    },
    healSeconds: story.healSeconds,
    upgrade: {
      seconds: rounded((upgrade.to - upgrade.from) / 1000),
      failed: sum(during, ({ failed }) => failed),
      late: sum(during, ({ late }) => late),
    },
    scaleInSeconds: rounded((restedAt - fallAt) / 1000),
    instanceSeconds: sum(timeline, ({ instances }) => instances?.[REQUEST_PROCESSING.name] ?? 0),
    instanceSecondsAtMost: MOST_COPIES * timeline.length,
    declared: played.declared,
  };
  const { decided, whole } = result.reactionSeconds;
  const hasReacted = Number.isFinite(decided) && Number.isFinite(whole);
  return { ...result, isWhole: hasReacted && result.requests > 0 && result.failed === 0 };
}

/** Seconds of the play that lie in a part of it, whole or in part. */
function between(timeline: readonly TimelineEntry[], from: number, to: number): readonly TimelineEntry[] {
  return timeline.filter(({ second }) => second > from && second - 1 < to);
}

function sum<T>(items: readonly T[], valueOf: (item: T) => number): number {
  return items.reduce((total, item) => total + valueOf(item), 0);
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

/** A table for people, in whose words the declared capacity is one, and the same as JSON on the last line. */
export function renderAccount(result: PocResult): string {
  const table = new Table({ style: { head: [], border: [] } });
  table.push(...rowsOf(result));
  const declared = result.declared.map((each) => `${declaredText(each)}\n`).join('');
  const note =
    declared === ''
      ? ''
      : `Demand, latency, late requests and instance-seconds rest on a declared capacity of request processing:\n${declared}`;
  return `${table.toString()}\n${note}${JSON.stringify(result)}\n`;
}

function rowsOf(result: PocResult): string[][] {
  const { requests, failed, late, reactionSeconds, healSeconds, upgrade } = result;
  const { decided, serving, whole } = reactionSeconds;
  const faults = Object.entries(result.faults).map(([fault, count]) => `${fault}: ${count}`);
  const share = requests === 0 ? 0 : (100 * late) / requests;
  return [
    ['requests', `${requests} in ${result.seconds.toFixed(1)} s`],
    ['failed', [`${failed}`, ...faults].join(', ')],
    ['late', `${late} (${share.toFixed(1)} %) after more than ${result.lateAfterMilliseconds} ms`],
    ['latency', `p50 ${result.p50Milliseconds.toFixed(0)} ms, p99 ${result.p99Milliseconds.toFixed(0)} ms`],
    [
      'from breach to serving',
      `${serving.toFixed(1)} s (decided after ${decided.toFixed(1)} s, all ${MOST_COPIES} after ${whole.toFixed(1)} s)`,
    ],
    ['healing of a killed copy', `${healSeconds.requestProcessing.toFixed(1)} s`],
    ...(healSeconds.orchestrator === undefined
      ? []
      : [['return of the killed orchestrator', `${healSeconds.orchestrator.toFixed(1)} s`]]),
    ['upgrade', `${upgrade.failed} failed, ${upgrade.late} late, in ${upgrade.seconds.toFixed(1)} s`],
    ['scaled in', `${result.scaleInSeconds.toFixed(1)} s after the demand fell`],
    [
      'instance-seconds',
      `${result.instanceSeconds}; with ${MOST_COPIES} all along ${result.instanceSecondsAtMost}`,
    ],
  ];
}
