import Table from 'cli-table3';
import { CAUSES } from './measures/disruptions.ts';
import type { Quantiles, Sample, SimulationReport, Timings } from './report.ts';

const COLUMNS: readonly (readonly [title: string, cell: (sample: Sample) => string])[] = [
  ['time', ({ atSeconds }) => clockTime(atSeconds)],
  ['up', ({ hostsUp }) => String(hostsUp)],
  ['in use', ({ hostsInUse }) => String(hostsInUse)],
  ['wanted', ({ wanted }) => String(wanted)],
  ['running', ({ running }) => String(running)],
  ['unplaced', ({ unplaced }) => String(unplaced)],
  ['placements', ({ placements }) => String(placements)],
  ['disruptions', ({ disruptions }) => String(disruptions)],
  ['CPU mean', ({ cpu }) => percent(cpu.mean)],
  ['p95', ({ cpu }) => percent(cpu.p95)],
  ['memory mean', ({ memory }) => percent(memory.mean)],
  ['p95', ({ memory }) => percent(memory.p95)],
  ['cost/h', ({ costPerHour }) => costPerHour.toFixed(2)],
];

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const;

/** The report for people: a row for each sample, then the totals. */
export function renderReport(report: SimulationReport): string {
  const { scenario, seed, hosts, durationSeconds, samples } = report;
  const heading = `${scenario}: ${hosts} hosts, ${clockTime(durationSeconds)}, seed ${seed}`;
  return [heading, '', samplesTable(samples), '', ...totalLines(report)].join('\n');
}

function samplesTable(samples: readonly Sample[]): string {
  const table = new Table({
    head: COLUMNS.map(([title]) => title),
    colAligns: COLUMNS.map(() => 'right'),
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const sample of samples) table.push(COLUMNS.map(([, cell]) => cell(sample)));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function totalLines({ totals, samples }: SimulationReport): readonly string[] {
  const causes = CAUSES.filter((cause) => totals.disruptions[cause] > 0);
  const { wantedSeconds, unplacedSeconds, downSeconds } = totals;
  return [
    `wanted          ${instanceHours(wantedSeconds)}`,
    `unplaced        ${instanceHours(unplacedSeconds)} (${shareText(unplacedSeconds, wantedSeconds)}), ${totals.peakUnplaced} at most at once`,
    `not running     ${instanceHours(downSeconds)} (${shareText(downSeconds, wantedSeconds)}), ${totals.peakDown} at most at once`,
    `time to place   ${quantileText(totals.toPlace)}`,
    `time to recover ${quantileText(totals.toRecover)}`,
    `disruptions     ${causes.map((cause) => `${totals.disruptions[cause]} ${cause}`).join('; ') || 'none'}`,
    `placements      ${totals.placements}; requests made again: ${totals.retries}`,
    ...serviceLines(totals.services),
    `cost            ${totals.cost.toFixed(2)}`,
    ...tierLines(samples.at(-1)),
  ];
}

function serviceLines({
  asked,
  instantiated,
  terminated,
  toInstantiate,
  toTerminate,
}: SimulationReport['totals']['services']): readonly string[] {
  if (asked === 0) return [];
  return [
    `services        ${asked} asked for; ${instantiated} instantiated at the end, ${terminated} terminated`,
    `to instantiate  ${quantileText(toInstantiate, 'services')}`,
    `to terminate    ${quantileText(toTerminate, 'services')}`,
  ];
}

function tierLines(last: Sample | undefined): readonly string[] {
  return Object.entries(last?.tiers ?? {}).map(
    ([tier, { cpu, memory }]) =>
      `at the end      ${tier}: CPU ${percent(cpu)}, memory ${percent(memory)} promised`,
  );
}

/** What a run took; it belongs to no report, since it is different each time. */
export function renderTimings(
  { plans, planningSeconds, wallSeconds }: Timings,
  report: SimulationReport,
): string {
  const each = plans === 0 ? 0 : (planningSeconds / plans) * 1000;
  const speed = report.durationSeconds / wallSeconds;
  return [
    `took ${wallSeconds.toFixed(1)} s, ${speed.toFixed(0)} times as fast as life;`,
    `${plans} plans in ${planningSeconds.toFixed(2)} s of placement, ${each.toFixed(3)} ms each`,
  ].join(' ');
}

function quantileText({ count, p50Seconds, p99Seconds }: Quantiles, of = 'copies'): string {
  return p50Seconds === undefined || p99Seconds === undefined
    ? 'none'
    : `p50 ${p50Seconds.toFixed(1)} s, p99 ${p99Seconds.toFixed(1)} s, of ${count} ${of}`;
}

function instanceHours(instanceSeconds: number): string {
  return `${(instanceSeconds / 3600).toFixed(2)} instance-hours`;
}

function shareText(part: number, whole: number): string {
  return whole === 0 ? '0 %' : `${((100 * part) / whole).toFixed(4)} %`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function clockTime(seconds: number): string {
  const [days, rest] = [Math.floor(seconds / 86_400), seconds % 86_400];
  const text = [Math.floor(rest / 3600), Math.floor((rest % 3600) / 60)]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
  const withSeconds = rest % 60 === 0 ? text : `${text}:${String(Math.floor(rest % 60)).padStart(2, '0')}`;
  return days === 0 ? withSeconds : `${days}d ${withSeconds}`;
}
