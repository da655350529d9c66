import type { HostId } from '../../kernel/index.ts';
import { bestRows } from './best-rows.ts';
import { compileRequest, rejectionsAt, type CompiledRequest } from './compile-request.ts';
import { rate } from './decision.ts';
import type { HostIndex } from './host-index.ts';
import { describeRejection } from './reasons.ts';
import type { RatedHost } from './plan-types.ts';
import type { PlacementRequest, PlacementRule } from './types.ts';

/** What one host is to one unit of a function, as it is now: for an instance more. */
export interface HostStanding {
  readonly unit: string;
  /** Everything that stands against it, of the host alone; empty: an instance may run there. */
  readonly against: readonly string[];
  /** Where nothing stands against it: its score, by part. */
  readonly rating?: RatedHost;
  /** Its place among the hosts that could take an instance, 1 the best. */
  readonly rank?: number;
  /** Hosts that could take an instance. */
  readonly candidates: number;
}

/** Whether an instance of each unit of a function may run on a host, and how the host compares; undefined: there is no such host. Looks at all hosts. */
export function explainHost(
  index: HostIndex,
  hostId: HostId,
  request: PlacementRequest,
  rules: readonly PlacementRule[],
): readonly HostStanding[] | undefined {
  const row = index.rowOf(hostId);
  if (row === undefined) return undefined;
  return request.units.map((demand) => {
    const compiled = compileRequest(index, request, demand, rules);
    return { unit: demand.unit, ...standing(index, compiled, row) };
  });
}

/** What need not be said of a host when something else is. */
const IMPLIED_BY: Readonly<Record<string, readonly string[]>> = {
  'are DRAINING': ['are being drained'],
  'are DISPUTED': ['are disputed'],
  'are not READY': [
    'are disputed',
    'are being drained',
    ...['SUSPECT', 'LOST', 'ENROLLED'].map((state) => `are ${state}`),
  ],
};

function standing(index: HostIndex, compiled: CompiledRequest, row: number): Omit<HostStanding, 'unit'> {
  const rejections = rejectionsAt(compiled, row);
  const said = new Set(rejections.map(({ text }) => text));
  const against = [
    ...outsideCoverage(index, compiled.request, row),
    ...rejections
      .filter(({ text }) => IMPLIED_BY[text]?.some((other) => said.has(other)) !== true)
      .map(describeRejection),
  ];
  const ranked = bestRows(index, compiled).filter((each) => isCovered(index, compiled.request, each));
  const place = ranked.indexOf(row);
  if (against.length > 0 || place < 0) return { against: [...new Set(against)], candidates: ranked.length };
  return { against, rating: rate(index, compiled, row), rank: place + 1, candidates: ranked.length };
}

function outsideCoverage(index: HostIndex, request: PlacementRequest, row: number): readonly string[] {
  return isCovered(index, request, row) ? [] : [`is not covered: does not match "${request.coverage}"`];
}

function isCovered(index: HostIndex, { coverage }: PlacementRequest, row: number): boolean {
  return coverage === undefined || index.labels.matching(coverage).has(row);
}
