import { IotmanoError, SYSTEM_TENANT, type HostId } from '../../kernel/index.ts';
import { isSameJson, type HostFactsDocument } from '../domain/index.ts';
import type { StateStore } from '../store/index.ts';
import type { MessageSequences } from './message-sequences.ts';

export interface FactsMessage {
  readonly bootId: string;
  readonly sequence: number;
  readonly facts: Omit<HostFactsDocument, 'sequence' | 'bootId'>;
}

/**
 * Replaces the facts of a host. Facts that say what is known already write nothing, so that their number is remembered in `sequences`.
 * @throws IotmanoError `conflict` with `expectedSequence` where newer facts of the same boot are there
 */
export function putFacts(
  store: StateStore,
  sequences: MessageSequences,
  hostId: HostId,
  message: FactsMessage,
): void {
  const { bootId, sequence, facts } = message;
  const position = sequences.judge(hostId, message);
  if (position.type === 'duplicate' && sequence < position.expected - 1)
    throw stale(hostId, sequence, position.expected - 1);
  const known = store.get('host-facts', hostId)?.document;
  if (known !== undefined) {
    const { sequence: newest, bootId: knownBoot, ...stored } = known;
    const isSame = isSameJson(stored, facts);
    const isOld = knownBoot === bootId && sequence <= newest;
    if (isOld && !(isSame && sequence === newest)) throw stale(hostId, sequence, newest);
    if (isSame) {
      sequences.accept(hostId, { bootId, sequence });
      return;
    }
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
  sequences.accept(hostId, { bootId, sequence });
}

function stale(hostId: HostId, sequence: number, newest: number): IotmanoError {
  return new IotmanoError(
    'conflict',
    `facts ${sequence} of host ${hostId} are older than facts ${newest}, which are here already; go on with ${newest + 1}`,
    { expectedSequence: newest + 1 },
  );
}
