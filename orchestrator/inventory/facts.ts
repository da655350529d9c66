import { IotmanoError, SYSTEM_TENANT, type HostId } from '../../kernel/index.ts';
import { isSameJson, type HostFactsDocument } from '../domain/index.ts';
import type { StateStore } from '../store/index.ts';

export interface FactsMessage {
  readonly bootId: string;
  readonly sequence: number;
  readonly facts: Omit<HostFactsDocument, 'sequence' | 'bootId'>;
}

/**
 * Replaces the facts of a host. Facts that say what is known already write nothing.
 * @throws IotmanoError `conflict` with `expectedSequence` where newer facts of the same boot are there
 */
export function putFacts(store: StateStore, hostId: HostId, message: FactsMessage): void {
  const { bootId, sequence, facts } = message;
  const known = store.get('host-facts', hostId)?.document;
  if (known !== undefined) {
    const { sequence: newest, bootId: knownBoot, ...stored } = known;
    const isSame = isSameJson(stored, facts);
    const isOld = knownBoot === bootId && sequence <= newest;
    if (isOld && !(isSame && sequence === newest)) throw stale(hostId, sequence, newest);
    if (isSame) return;
  }
  store.commit([
    {
      op: 'put',
      kind: 'host-facts',
      id: hostId,
      tenant: SYSTEM_TENANT,
      document: { ...facts, sequence, bootId },
    },
  ]);
}

function stale(hostId: HostId, sequence: number, newest: number): IotmanoError {
  return new IotmanoError(
    'conflict',
    `facts ${sequence} of host ${hostId} are older than facts ${newest}, which are here already; go on with ${newest + 1}`,
    { expectedSequence: newest + 1 },
  );
}
