import type { LatencyFigures, LoadResult, ProgressFigures } from '../load/index.ts';
import type { DeclaredCapacity } from './load-target.ts';

const BAR = 30;

/** One second of a play, in one line, with how far the play is. */
export function progressLine(progress: ProgressFigures, seconds: number): string {
  return `${clockText(progress.second)}/${clockText(seconds)}  ${secondText(progress)}`;
}

/** What devices saw in one second of a play, in one line. */
export function secondText(progress: ProgressFigures): string {
  const { plannedPerSecond, answered, failed, late, inFlight } = progress;
  return [
    `demand ${plannedPerSecond.toFixed(1)}/s`,
    `answered ${answered}`,
    `failed ${failed}`,
    `late ${late}`,
    `in flight ${inFlight}`,
    `p50 ${progress.p50Milliseconds.toFixed(1)} ms`,
    `p99 ${progress.p99Milliseconds.toFixed(1)} ms`,
    ...instancesText(progress),
  ].join('  ');
}

/** The same for a terminal, with the demand as a bar beside its highest. */
export function progressBlock(progress: ProgressFigures, seconds: number, peakPerSecond: number): string[] {
  const share = Math.min(1, progress.plannedPerSecond / peakPerSecond);
  const filled = Math.round(share * BAR);
  const bar = `${'█'.repeat(filled)}${'·'.repeat(BAR - filled)}`;
  const { totalDue, totalFailed, inFlight } = progress;
  return [
    `${clockText(progress.second)} of ${clockText(seconds)}   demand   ${bar} ${progress.plannedPerSecond.toFixed(1)}/s`,
    `answered ${progress.answered}/s   late ${progress.late}/s   failed ${progress.failed}/s   in flight ${inFlight}`,
    `p50 ${progress.p50Milliseconds.toFixed(1)} ms   p99 ${progress.p99Milliseconds.toFixed(1)} ms   in all ${totalDue} due, ${totalFailed} failed`,
    ...instancesText(progress),
  ];
}

/** What came of a play, for people. */
export function resultText(result: LoadResult, declared: readonly DeclaredCapacity[]): string {
  const { requests, seconds, lateAfterMilliseconds } = result;
  const share = requests.due === 0 ? 0 : (100 * requests.late) / requests.due;
  const rows = [
    ['requests', `${requests.due} in ${seconds.toFixed(1)} s`],
    ['answered', `${requests.answered}, ${requests.resent} of them sent again over another connection`],
    ['failed', `${requests.failed}${faultsText(requests.faults)}`],
    ['late', `${requests.late} (${share.toFixed(2)} %) after more than ${lateAfterMilliseconds} ms`],
    ['latency', `${latencyText(result.latencyMilliseconds)}, from when the device meant to ask`],
    ['answer', `${latencyText(result.answerMilliseconds)}, from when it was sent`],
    ['player', `${latencyText(result.playerLagMilliseconds)}, from meant to sent: what this machine adds`],
  ];
  const lines = rows.map(([name = '', text = '']) => `${name.padEnd(10)}${text}`);
  return `${[...lines, ...declared.map(declaredText)].join('\n')}\n`;
}

/** That a figure is one of a declared capacity. */
export function declaredText({ function: name, serviceMilliseconds, concurrency }: DeclaredCapacity): string {
  const time =
    serviceMilliseconds > 0
      ? `a request takes at least ${serviceMilliseconds} ms`
      : 'requests take their time';
  const limit = concurrency > 0 ? `${concurrency} at once` : 'any number at once';
  const rate =
    serviceMilliseconds > 0 && concurrency > 0
      ? `, at most ${Math.round((1000 * concurrency) / serviceMilliseconds)}/s an instance`
      : '';
  return `declared  ${name}: ${time}, ${limit}${rate}; not what the machine could do`;
}

function latencyText({ p50, p90, p99, p999, max }: LatencyFigures): string {
  const [a, b, c, d, e] = [p50, p90, p99, p999, max].map((value) => value.toFixed(1));
  return `p50 ${a}  p90 ${b}  p99 ${c}  p99.9 ${d}  max ${e} ms`;
}

function faultsText(faults: Readonly<Record<string, number>>): string {
  const all = Object.entries(faults).map(([fault, count]) => `${fault}: ${count}`);
  return all.length === 0 ? '' : ` (${all.join(', ')})`;
}

function instancesText({ instances = {} }: ProgressFigures): string[] {
  const all = Object.entries(instances).map(([name, count]) => `${name} ${count}`);
  return all.length === 0 ? [] : [`runs ${all.join(', ')}`];
}

function clockText(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
