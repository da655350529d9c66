import type { HostId } from '../../kernel/index.ts';
import type { HostFactsDocument } from './documents.ts';

/**
 * What label expressions see of a host: its labels, and its facts under the names `host`, `tier`, `architecture` (also `arch`),
 * `jurisdiction`, `provider` and `power`. A fact wins over a label of the same name: labels are free text, facts are not.
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
  };
}
