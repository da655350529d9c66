import { DEFAULT_TENANT, type HostId, type TenantId, type VnfInstanceId } from '../../../kernel/index.ts';
import { assignmentId } from '../../domain/index.ts';
import type { StateStore, Write } from '../../store/index.ts';
import type { ObservedWorkload, Workload, WorkloadKey } from '../../../vim-drivers/index.ts';

export const DIGEST = `sha256:${'ab'.repeat(32)}`;
const HASH = `sha256:${'cd'.repeat(32)}`;

/** A key of a function whose instance id is made of the number. */
export function keyOf(number: number, tenant: TenantId = DEFAULT_TENANT): WorkloadKey {
  const digits = String(number).padStart(12, '0');
  return {
    tenant,
    vnfInstanceId: `00000000-0000-4000-8000-${digits}` as VnfInstanceId,
    unit: 'main',
    generation: 1,
  };
}

export function workloadOf(key: WorkloadKey): Workload {
  return {
    key,
    labels: { function: 'test' },
    spec: {
      artifact: { type: 'process', command: ['node', 'main.js'], files: { digest: DIGEST, sizeBytes: 10 } },
      run: { mode: 'service' },
      resources: { cpuMillis: 100, memoryBytes: 1e6 },
      volumes: [],
      files: [],
      ports: [{ name: 'http', protocol: 'tcp', expose: true }],
      env: { PORT: '{{ ports.http }}' },
      bindings: { path: 'bindings.json', onChange: 'reload' },
      security: { nonRoot: true, readOnlyRoot: true, capabilities: [] },
      probes: {
        ready: {
          action: { type: 'http', port: 'http', path: '/' },
          everySeconds: 1,
          timeoutSeconds: 1,
          failAfter: 3,
        },
      },
      stop: { signal: 'SIGTERM', graceSeconds: 5 },
      restart: { withinSeconds: 60, times: 5, backoffMinSeconds: 0.2, backoffMaxSeconds: 5 },
      coldBoot: true,
    },
    specHash: HASH,
    instances: [{ slot: 0, epoch: 0 }],
    bindings: {
      config: { a: 1 },
      requires: {
        broker: {
          capability: 'message-broker',
          protocol: 'nats',
          endpoints: [{ host: 'h', port: 4222, instance: 'i' }],
        },
      },
      clients: [],
    },
  };
}

export function assignmentOf(hostId: HostId, key: WorkloadKey, lostAfterSeconds = 30): Write {
  return {
    op: 'put',
    kind: 'assignment',
    id: assignmentId(hostId, key),
    tenant: key.tenant,
    document: { hostId, workload: workloadOf(key), lostAfterSeconds },
  };
}

export async function assign(
  store: StateStore,
  hostId: HostId,
  key: WorkloadKey,
  lostAfterSeconds?: number,
): Promise<void> {
  await store.commit([assignmentOf(hostId, key, lostAfterSeconds)]).durable;
}

export async function unassign(store: StateStore, hostId: HostId, key: WorkloadKey): Promise<void> {
  const id = assignmentId(hostId, key);
  const expectedRevision = store.get('assignment', id)?.revision ?? 0;
  await store.commit([{ op: 'delete', kind: 'assignment', id, expectedRevision }]).durable;
}

export function observedOf(key: WorkloadKey, restarts = 0): ObservedWorkload {
  return {
    key,
    specHash: HASH,
    instances: [
      {
        slot: 0,
        epoch: 0,
        state: 'RUNNING',
        since: '2026-11-22T18:00:00.000Z',
        restarts,
        ports: { http: 40000 },
        pid: 4711,
      },
    ],
  };
}
