import { setTimeout as sleep } from 'node:timers/promises';
import Table from 'cli-table3';
import { accountStored, readStored } from '../../vnf-catalog/demo-devices.ts';
import type { HealSeconds } from './chaos.ts';
import type { Installation } from './installation.ts';
import { trafficFigures, type Play, type TrafficFigures } from './play.ts';

/** The last line of stdout. */
export interface DemoResult {
  /** What runs the functions of the cloud: process, docker or kubernetes. */
  readonly cloud: string;
  /** Values that devices set out to write. */
  readonly sent: number;
  readonly acknowledged: number;
  readonly stored: number;
  /** Stored values of which `road-traffic` was notified. */
  readonly notified: number;
  /** Notifications that came more than once. */
  readonly duplicates: number;
  readonly storedUnacknowledged: number;
  readonly storedTwice: number;
  /** Acknowledged, yet not stored. */
  readonly missing: number;
  readonly healSeconds: HealSeconds;
  readonly deploySeconds: number;
  /** Resident memory after the deployment, before the play. */
  readonly rssMiB: Readonly<Record<string, number>>;
  /** All acknowledged stored exactly once, all stored notified, none refused. */
  readonly isExact: boolean;
}

const NOTIFY_SECONDS = 30;
const NO_FIGURES: TrafficFigures = { unique: 0, duplicates: 0, subscriptions: [] };

/** Counts what is stored and what was notified, once the last notifications have arrived or long enough have not. */
export async function account(
  installation: Installation,
  { account: played, sensors, gateways }: Play,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<Omit<DemoResult, 'cloud' | 'healSeconds' | 'deploySeconds' | 'rssMiB'>> {
  say('counting');
  const stored = accountStored(await readStored(sensors, { gateways, signal }), played);
  const figures = await settledFigures(installation, stored.stored, signal);
  for (const refusal of played.refused.slice(0, 5)) say(`refused: ${refusal}`);
  const result = {
    sent: played.sent,
    acknowledged: played.acknowledged,
    stored: stored.stored,
    notified: figures.unique,
    duplicates: figures.duplicates,
    storedUnacknowledged: stored.storedUnacknowledged,
    storedTwice: stored.duplicates,
    missing: stored.missing.length,
  };
  const isExact =
    result.acknowledged > 0 &&
    result.missing === 0 &&
    result.storedTwice === 0 &&
    result.notified === result.stored &&
    played.refused.length === 0;
  return { ...result, isExact };
}

async function settledFigures(
  installation: Installation,
  expected: number,
  signal: AbortSignal,
): Promise<TrafficFigures> {
  const end = performance.now() + NOTIFY_SECONDS * 1000;
  for (;;) {
    const figures = (await trafficFigures(installation)) ?? NO_FIGURES;
    if (figures.unique >= expected || performance.now() > end) return figures;
    await sleep(200, undefined, { signal });
  }
}

/** A table for people, and the same as JSON on the last line. */
export function renderResult(result: DemoResult): string {
  const { healSeconds, rssMiB, ...counts } = result;
  const table = new Table({ head: ['', ''], style: { head: [], border: [] } });
  for (const [name, value] of Object.entries(counts)) table.push([name, String(value)]);
  for (const [name, seconds] of Object.entries(healSeconds))
    table.push([`healSeconds.${name}`, String(seconds)]);
  for (const [name, mebibytes] of Object.entries(rssMiB)) table.push([`rssMiB.${name}`, String(mebibytes)]);
  return `${table.toString()}\n${JSON.stringify(result)}\n`;
}
