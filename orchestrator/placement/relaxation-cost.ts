import { unreachable } from '../../kernel/index.ts';
import type { Change } from './plan-types.ts';

/**
 * How much a change takes away from what was wanted, to order relaxations by: a little less of an amount is less than another place, another place
 * less than a rule that is given up, and other law is most. Of the order alone, and of nothing else, these numbers are the measure.
 */
export function costOf(change: Change): number {
  switch (change.kind) {
    case 'resource':
    case 'device':
      return 1 + 8 * shareLost(change);
    case 'instances':
      return 2 + 8 * shareLost(change);
    case 'undrain':
      return 2;
    case 'maxSkew':
      return change.to === undefined ? 5 : Math.min(4.5, 1.5 + (change.to - change.from) / 2);
    case 'near':
      return change.to === undefined ? 5 : 2 + 2.5 * (1 - change.from / change.to);
    case 'allow':
      return ALLOWING[change.list];
    case 'port':
    case 'reserve':
      return 3;
    case 'freePort':
      return 4;
    case 'require':
    case 'affinity':
    case 'rule':
      return 5;
    default:
      return unreachable(change);
  }
}

const ALLOWING = { hosts: 3, tolerates: 3, tiers: 4, architectures: 5, jurisdictions: 7 } as const;

function shareLost({ from, to }: { readonly from: number; readonly to: number }): number {
  return from === 0 ? 0 : (from - to) / from;
}
