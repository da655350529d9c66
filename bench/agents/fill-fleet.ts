import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { SYSTEM_TENANT, randomIds, type HostId } from '../../kernel/index.ts';
import { hostUserJwt, type AccountKeys } from '../../orchestrator/mco/nats/index.ts';
import { openSqliteStore } from '../../orchestrator/store/index.ts';
import { factsOf } from './simulated-agent.ts';

export interface Fleet {
  readonly hostIds: readonly string[];
  /** All hosts of a benchmark have the same key. */
  readonly privateKeyPem: string;
  readonly stateId: string;
  /** The user of NATS of each, in the order of the hosts. */
  readonly natsJwts: readonly string[];
}

const AT_ONCE = 1000;

/** Enrols so many hosts in the store of an orchestrator that does not run; over NATS with users that its keys are for. */
export async function fillFleet(
  dataDirectory: string,
  count: number,
  keys: AccountKeys | undefined,
): Promise<Fleet> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const hostIds = Array.from({ length: count }, (_, index) => `gw-${String(index).padStart(6, '0')}`);
  const store = await openSqliteStore({
    directory: join(dataDirectory, 'state'),
    ids: randomIds,
    onFatal: (error) => {
      throw error;
    },
  });
  try {
    for (let from = 0; from < count; from += AT_ONCE) {
      const writes = hostIds.slice(from, from + AT_ONCE).flatMap((id) => [
        {
          op: 'create' as const,
          kind: 'host' as const,
          id,
          tenant: SYSTEM_TENANT,
          document: {
            state: 'ENROLLED' as const,
            roles: ['orchestration' as const, 'monitoring' as const],
            publicKey: { kty: 'OKP', crv: 'Ed25519', x },
            enrolledAt: '2030-01-01T00:00:00.000Z',
            tenants: [],
            draining: false,
            disputed: false,
            boots: [],
          },
        },
        {
          op: 'create' as const,
          kind: 'host-facts' as const,
          id,
          tenant: SYSTEM_TENANT,
          document: { ...factsOf(id), sequence: 0 },
        },
      ]);
      await store.commit(writes).durable;
    }
    const { stateId } = store;
    const tomorrow = Date.now() + 24 * 3600 * 1000;
    const natsJwts =
      keys === undefined
        ? []
        : await Promise.all(hostIds.map((id) => hostUserJwt(keys, id as HostId, x, tomorrow)));
    const privateKeyPem = String(privateKey.export({ format: 'pem', type: 'pkcs8' }));
    return { hostIds, stateId, natsJwts, privateKeyPem };
  } finally {
    await store.close();
  }
}
