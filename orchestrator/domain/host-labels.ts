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
  const counts: Record<string, number> = {};
  for (const { class: name, count = 1 } of devices) counts[name] = (counts[name] ?? 0) + count;
  return counts;
}
