import type { VnfInstanceId } from '../../kernel/index.ts';
import { Bits } from './bits.ts';
import type { HostIndex } from './host-index.ts';

export const HOST_SCOPE = 'host';

/** The code of a row's domain in a scope; 0 where it lacks the label. */
export function domainOf(index: HostIndex, row: number, scope: string): number {
  return index.labels.code(row, scope);
}

/** The rows whose domain is one of these. */
export function rowsInDomains(index: HostIndex, scope: string, domains: ReadonlySet<number>): Bits {
  const rows = new Bits(index.rows);
  if (scope === HOST_SCOPE) {
    for (const code of domains) if (code > 0) rows.put(code - 1, true);
    return rows;
  }
  if (domains.size === 0) return rows;
  const codes = index.labels.codes(scope);
  for (let row = 0; row < codes.length; row += 1)
    if (domains.has(codes[row] ?? 0) && codes[row] !== 0) rows.put(row, true);
  return rows;
}

/** The rows that have the label of a scope at all. */
export function rowsWithDomain(index: HostIndex, scope: string): Bits {
  if (scope === HOST_SCOPE) return index.present;
  return index.labels.where(scope, 'exists', (value) => value !== undefined);
}

/** Domains that hold any of the functions. @param withLost what is still placed on a host that is LOST may not leave it */
export function domainsHeld(
  index: HostIndex,
  functionIds: Iterable<VnfInstanceId>,
  scope: string,
  withLost: boolean,
): Set<number> {
  const domains = new Set<number>();
  for (const functionId of functionIds)
    for (const row of index.occupancy.rowsOf(functionId).keys())
      if (withLost || !index.isLost(row)) domains.add(domainOf(index, row, scope));
  return domains;
}

/** Instances of a function by domain. */
export function instancesByDomain(
  index: HostIndex,
  functionId: VnfInstanceId,
  by: string,
): Map<number, number> {
  const counts = new Map<number, number>();
  for (const [row, instances] of index.occupancy.rowsOf(functionId)) {
    const domain = domainOf(index, row, by);
    counts.set(domain, (counts.get(domain) ?? 0) + instances);
  }
  return counts;
}
