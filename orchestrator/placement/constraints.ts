import type { HostId } from '../../kernel/index.ts';
import type { Taint } from '../domain/index.ts';
import { Bits } from './bits.ts';
import { COLUMNS, READY } from './host-columns.ts';
import type { HostIndex } from './host-index.ts';
import { isInJurisdiction } from './jurisdiction.ts';
import type { PlacementRequest, UnitDemand } from './types.ts';

/** Which hosts satisfy one hard rule, and what to say of the others: "12 hosts … lack arch=arm64". */
export interface Constraint {
  readonly text: string;
  readonly rows: Bits;
}

/**
 * What a host is or offers at all, apart from what is used of it and of where other functions are. The order is that of the reasons.
 * @param silent rows that count as LOST
 */
export function hostConstraints(
  index: HostIndex,
  request: PlacementRequest,
  demand: UnitDemand,
  silent = index.silent,
): readonly Constraint[] {
  return [
    ...standing(index, silent),
    ...access(index, request),
    ...facts(index, request, demand),
    ...labels(index, request),
  ];
}

function standing(index: HostIndex, silent: ReadonlySet<number>): readonly Constraint[] {
  const { labels: columns } = index;
  const readmitted = index.leniency?.readmitted ?? new Set<number>();
  const not = (text: string, pattern: RegExp): Constraint => ({
    text,
    rows: columns.where(COLUMNS.standing, `not ${pattern.source}`, (value) => !pattern.test(value ?? '')),
  });
  const states = ['SUSPECT', 'LOST', 'ENROLLED', 'DRAINING', 'DISPUTED'];
  const constraints = [
    not('are disputed', /disputed/),
    not('are being drained', /draining$/),
    ...(silent.size === 0 ? [] : [{ text: 'are LOST', rows: allBut(index, bitsOf(index, silent)) }]),
    ...states.map((state) => not(`are ${state}`, new RegExp(`^${state}`))),
    {
      text: 'are not READY',
      rows: columns.where(COLUMNS.standing, 'ready', (value) => value === READY),
    },
  ];
  if (readmitted.size === 0) return constraints;
  return constraints.map(({ text, rows }) => ({ text, rows: withRows(rows, readmitted) }));
}

function withRows(rows: Bits, members: ReadonlySet<number>): Bits {
  const joined = rows.copy();
  for (const row of members) joined.put(row, true);
  return joined;
}

function access(index: HostIndex, request: PlacementRequest): readonly Constraint[] {
  const { tenant, hosts, avoidHosts, tolerates = [] } = request;
  const columns = index.labels;
  return [
    {
      text: `do not serve tenant ${tenant}`,
      rows: columns.where(
        COLUMNS.tenants,
        `serve ${tenant}`,
        (value) => value === undefined || value.split(' ').includes(tenant),
      ),
    },
    {
      text: `have a taint that ${request.name} does not tolerate`,
      rows: columns.where(COLUMNS.taints, `tolerated by ${tolerates.join(' ')}`, (value) =>
        taintsIn(value).every((taint) => taint.effect === 'avoid' || isTolerated(taint, tolerates)),
      ),
    },
    ...(hosts === undefined ? [] : [{ text: `are not among ${listed(hosts)}`, rows: rowsOf(index, hosts) }]),
    ...(avoidHosts.length === 0
      ? []
      : [{ text: 'have just been given up for it', rows: allBut(index, rowsOf(index, avoidHosts)) }]),
  ];
}

function facts(index: HostIndex, request: PlacementRequest, demand: UnitDemand): readonly Constraint[] {
  const { tiers, architectures, jurisdictions } = request;
  const columns = index.labels;
  const { artifactTypes } = demand;
  return [
    ...oneOf(index, COLUMNS.tier, 'tier', tiers),
    ...oneOf(index, COLUMNS.architecture, 'arch', architectures),
    {
      text: `have no driver for artifacts of type ${artifactTypes.join(' or ')}`,
      rows: columns.where(COLUMNS.artifactTypes, `run ${artifactTypes.join(' ')}`, (value = '') => {
        const offered = value.split(' ');
        return artifactTypes.some((type) => offered.includes(type));
      }),
    },
    ...(jurisdictions.length === 0
      ? []
      : [
          {
            text: `are not in jurisdiction ${jurisdictions.join('|')}`,
            rows: columns.where(COLUMNS.jurisdiction, `in ${jurisdictions.join(' ')}`, (value) =>
              isInJurisdiction(value, jurisdictions),
            ),
          },
        ]),
  ];
}

function labels({ labels: columns }: HostIndex, { require }: PlacementRequest): readonly Constraint[] {
  return require.map((text) => ({ text: `do not match "${text}"`, rows: columns.matching(text) }));
}

function oneOf(
  { labels: columns }: HostIndex,
  column: string,
  name: string,
  allowed: readonly string[],
): readonly Constraint[] {
  if (allowed.length === 0) return [];
  const text = `lack ${name}=${allowed.join('|')}`;
  const rows = columns.where(column, text, (value) => value !== undefined && allowed.includes(value));
  return [{ text, rows }];
}

/** The taints of a host, as its column holds them. */
export function taintsIn(text: string | undefined): readonly Taint[] {
  return text === undefined ? [] : (JSON.parse(text) as readonly Taint[]);
}

/** A toleration is a whole taint, or its key. */
export function isTolerated({ text }: Taint, tolerates: readonly string[]): boolean {
  return tolerates.some((tolerated) => tolerated === text || text.startsWith(`${tolerated}=`));
}

export function rowsOf(index: HostIndex, hosts: readonly HostId[]): Bits {
  return bitsOf(
    index,
    hosts.flatMap((hostId) => index.rowOf(hostId) ?? []),
  );
}

export function bitsOf(index: HostIndex, rows: Iterable<number>): Bits {
  const bits = new Bits(index.rows);
  for (const row of rows) bits.put(row, true);
  return bits;
}

export function allBut(index: HostIndex, rows: Bits): Bits {
  const others = index.present.copy();
  others.drop(rows);
  return others;
}

function listed(hosts: readonly HostId[]): string {
  const shown = hosts.slice(0, 3).join(', ');
  return hosts.length > 3 ? `${shown} and ${hosts.length - 3} more` : shown || 'the hosts allowed (none)';
}
