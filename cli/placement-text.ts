import { formatRows } from './output.ts';

/** What a score is the sum of, by name. */
export type Parts = Readonly<Record<string, number>>;

interface RatedHost {
  readonly hostId: string;
  readonly score: number;
  readonly parts: Parts;
}

/** What `dryRun=true` answers. */
export interface ServicePlan {
  readonly fits: boolean;
  readonly instances: readonly {
    readonly function?: string;
    readonly unit: string;
    readonly hostId: string;
    readonly slot?: number;
    readonly score?: number;
    readonly parts?: Parts;
    readonly runnersUp?: readonly RatedHost[];
  }[];
  readonly reasons: readonly string[];
  readonly relaxations?: readonly { readonly text: string }[];
}

/** Parts that are told of a score: the largest, whichever way they count. */
const MOST_PARTS = 3;

/**
 * A plan for people: where each instance would be and why, or what finds no host and what would help.
 * @param isExplained with the hosts that came next
 */
export function planText(plan: ServicePlan, isExplained: boolean): string {
  const reasons = plan.reasons.map((reason) => `${reason}\n`).join('');
  const relaxations = (plan.relaxations ?? []).map(({ text }) => `  ${text}\n`).join('');
  if (!plan.fits) return reasons + relaxations;
  const rows = plan.instances.flatMap(({ hostId, score, parts, runnersUp = [], ...instance }) => [
    { ...instance, ...ratedRow({ hostId, score, parts }) },
    ...(isExplained
      ? runnersUp.map((other) => ({ ...BLANK, ...ratedRow({ ...other, hostId: `  then ${other.hostId}` }) }))
      : []),
  ]);
  const columns = ['function', 'unit', 'slot', 'host', 'score', 'why'];
  return formatRows(rows, columns) + reasons;
}

/** Of the instance above. */
const BLANK = { function: ' ', unit: ' ', slot: ' ' };

function ratedRow({
  hostId,
  score,
  parts,
}: {
  readonly hostId: string;
  readonly score?: number | undefined;
  readonly parts?: Parts | undefined;
}): object {
  if (score === undefined || parts === undefined) return { host: hostId };
  return { host: hostId, score: amount(score), why: partsText(parts) };
}

/** "prefers zone = north +10, spread -1000, room +0.008": the parts that count most. */
export function partsText(parts: Parts, most = MOST_PARTS): string {
  return Object.entries(parts)
    .toSorted(([, a], [, b]) => Math.abs(b) - Math.abs(a))
    .slice(0, most)
    .map(([name, value]) => `${name} ${value < 0 ? '' : '+'}${amount(value)}`)
    .join(', ');
}

/** Three decimals at most. */
export function amount(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}
