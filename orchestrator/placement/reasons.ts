import type { Rejection } from './rejection.ts';
import type { PlacementReason, Shortfall } from './plan-types.ts';
import type { Resources } from './types.ts';

/** Counts rejections by what is lacking, most frequent first; for amounts with what is needed and the most that is free. */
export function summarise(rejections: readonly Rejection[]): readonly PlacementReason[] {
  return [...Map.groupBy(rejections, ({ text }) => text)]
    .map(([text, same]) => ({ text: text + amounts(same), hosts: same.length }))
    .toSorted((a, b) => b.hosts - a.hosts || (a.text < b.text ? -1 : 1));
}

function amounts(rejections: readonly Rejection[]): string {
  const shorts = rejections.flatMap(({ short }) => short ?? []);
  const [first] = shorts;
  if (first === undefined) return '';
  const most = Math.max(...shorts.map(({ free }) => free));
  return `: need ${quantity(first.resource, first.needed)}, most free ${quantity(first.resource, most)}`;
}

/** "of 812 hosts, 790 lack arch=arm64, 22 lack memory: need 128 MiB, most free 96 MiB" */
export function describeShortfall({ consideredHosts, reasons }: Shortfall): string {
  if (consideredHosts === 0) return 'there are no hosts';
  const hosts = consideredHosts === 1 ? '1 host' : `${consideredHosts} hosts`;
  return `of ${hosts}, ${reasons.map((reason) => `${reason.hosts} ${reason.text}`).join(', ')}`;
}

/** What one host lacks: "lacks memory: 128 MiB needed, 96 MiB free" */
export function describeRejection({ text, short }: Rejection): string {
  const [verb = '', ...rest] = text.split(' ');
  const own = [text.startsWith('do not ') ? 'does' : (OF_ONE[verb] ?? verb), ...rest].join(' ');
  if (short === undefined) return own;
  const { resource, needed, free } = short;
  return `${own}: ${quantity(resource, needed)} needed, ${quantity(resource, free)} free`;
}

const OF_ONE: Readonly<Record<string, string>> = { are: 'is', have: 'has', lack: 'lacks', send: 'sends' };

function quantity(resource: keyof Resources, amount: number): string {
  if (resource === 'cpuMillis') return `${amount}m`;
  if (resource === 'devices') return String(amount);
  const [size, unit] = amount >= 2 ** 30 ? [2 ** 30, 'GiB'] : [2 ** 20, 'MiB'];
  return `${Math.round((amount / size) * 10) / 10} ${unit}`;
}
