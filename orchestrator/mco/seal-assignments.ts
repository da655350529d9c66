import { calculateJwkThumbprint } from 'jose';
import type { HostId } from '../../kernel/index.ts';
import type { HostDocument } from '../domain/index.ts';
import { sealTo } from '../inventory/index.ts';
import type { AssignmentMessage, SealedValuesMessage, WantedMessage } from './messages.ts';

/**
 * The wanted state with everything secret in it sealed to the key that the host has told: configuration values and seeds of bindings. All of the
 * configuration counts as secret, whatever its descriptor says of it. Without a key the message stays as it is.
 */
export async function sealAssignments(
  message: WantedMessage,
  hostId: HostId,
  { sealingKey }: Pick<HostDocument, 'sealingKey'>,
): Promise<WantedMessage> {
  if (sealingKey === undefined) return message;
  const { x = '' } = sealingKey;
  const seal = async (values: SealedValuesMessage): Promise<string> => {
    const keyId = await calculateJwkThumbprint({ kty: 'OKP', crv: 'X25519', x }, 'sha256');
    return await sealTo({ x }, keyId, Buffer.from(JSON.stringify(values)));
  };
  return {
    ...message,
    assignments: await Promise.all(message.assignments.map((each) => sealOne(each, hostId, seal))),
  };
}

async function sealOne(
  assignment: AssignmentMessage,
  hostId: HostId,
  seal: (values: SealedValuesMessage) => Promise<string>,
): Promise<AssignmentMessage> {
  const { key, bindings } = assignment.workload;
  const requires = Object.entries(bindings.requires);
  const seeds = Object.fromEntries(
    requires.flatMap(([name, { credential }]) =>
      credential?.seed === undefined ? [] : [[name, credential.seed]],
    ),
  ) as Record<string, string>;
  if (Object.keys(bindings.config).length === 0 && Object.keys(seeds).length === 0) return assignment;
  const open = requires.map(([name, { credential, ...rest }]) => [
    name,
    credential === undefined ? rest : { ...rest, credential: { id: credential.id } },
  ]);
  return {
    ...assignment,
    workload: {
      ...assignment.workload,
      bindings: {
        ...bindings,
        config: {},
        requires: Object.fromEntries(open) as typeof bindings.requires,
      },
    },
    sealed: await seal({ hostId, workload: key, config: bindings.config, seeds }),
  };
}
