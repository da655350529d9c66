import type { HostId } from '../../kernel/index.ts';
import type { HostFactsDocument } from './documents.ts';

/**
 * What label expressions see of a host: its labels, and its facts under the names `host`, `tier`, `architecture` (also `arch`),
 * `jurisdiction`, `provider`, `power`, `metered`, `medium` (of its storage), `cpu.cores`, `cpu.score` (of one core, beside the reference core), `driver.NAME = yes`
 * and `device.CLASS` (how many). A fact wins over a label of the same name: labels are free text, facts are not.
 */
export function hostLabels(hostId: HostId, facts: HostFactsDocument): Readonly<Record<string, string>> {
  return {
    ...facts.labels,
    host: hostId,
    tier: facts.tier,
    architecture: facts.architecture,
    arch: facts.architecture,
    ...(facts.jurisdiction === undefined ? {} : { jurisdiction: facts.jurisdiction }),
    ...(facts.infrastructureProvider === undefined ? {} : { provider: facts.infrastructureProvider }),
    ...(facts.power === undefined ? {} : { power: facts.power }),
    ...(facts.meteredUplink === undefined ? {} : { metered: facts.meteredUplink ? 'yes' : 'no' }),
    medium: facts.storage.medium,
    'cpu.cores': String(facts.cpu.cores),
    'cpu.score': String(facts.cpu.score),
    ...Object.fromEntries(facts.drivers.map(({ name }) => [`driver.${name}`, 'yes'])),
    ...Object.fromEntries(
      Object.entries(deviceCounts(facts)).map(([name, count]) => [`device.${name}`, String(count)]),
    ),
  };
}

/** Devices of a host by class. */
export function deviceCounts({
  devices,
}: Pick<HostFactsDocument, 'devices'>): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  // Facts of before devices were counted may hold anything.
  for (const { class: name, count = 1 } of devices)
    if (typeof name === 'string' && Number.isInteger(count))
      counts.set(name, (counts.get(name) ?? 0) + count);
  return Object.fromEntries(counts);
}

/** How many of a class there are. A class may be called what every object has: `constructor`. */
export function deviceCount(devices: Readonly<Record<string, number>> | undefined, name: string): number {
  return devices !== undefined && Object.hasOwn(devices, name) ? (devices[name] ?? 0) : 0;
}
