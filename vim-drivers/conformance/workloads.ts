/** The workloads that the suite applies. */
import { createHash } from 'node:crypto';
import { DEFAULT_TENANT, type VnfInstanceId } from '../../kernel/index.ts';
import type { ConformanceSite } from './site.ts';
import type { Bindings, Fence, Workload, WorkloadKey, WorkloadSpec } from '../contract.ts';

let lastInstance = 0;
let lastRevision = 0;

export const NO_BINDINGS: Bindings = { config: {}, requires: {}, clients: [] };

/** A fence newer than every one before it. */
export function nextFence(): Fence {
  lastRevision += 1;
  return { leaseNumber: 1, revision: lastRevision };
}

export function newKey(generation = 1): WorkloadKey {
  lastInstance += 1;
  const vnfInstanceId = `c${process.pid}-${lastInstance}` as VnfInstanceId;
  return { tenant: DEFAULT_TENANT, vnfInstanceId, unit: 'main', generation };
}

/** Runs until it is told to stop. */
const SLEEPER: readonly string[] = shell('echo up');

/** A shell that does this first, and then stays until it is told to stop: also as the first process of a container, which no signal ends by default. */
export function shell(script: string, ...words: readonly string[]): readonly string[] {
  const stay = 'sleep 600 & while kill -0 $! 2>/dev/null; do wait $!; done';
  return ['sh', '-c', `trap 'exit 0' TERM; ${script}; ${stay}`, 'sh', ...words];
}

export interface WorkloadOptions {
  readonly key?: WorkloadKey;
  readonly command?: readonly string[];
  readonly slots?: readonly number[];
  readonly epoch?: number;
  readonly bindings?: Bindings;
  readonly spec?: Partial<WorkloadSpec>;
}

export function sampleWorkload(
  site: Pick<ConformanceSite, 'artifact'>,
  options: WorkloadOptions = {},
): Workload {
  const spec: WorkloadSpec = {
    artifact: site.artifact(options.command ?? SLEEPER),
    run: { mode: 'service' },
    resources: { cpuMillis: 100, memoryBytes: 64 * 1024 ** 2 },
    volumes: [],
    files: [],
    ports: [],
    env: {},
    security: { nonRoot: false, readOnlyRoot: false, capabilities: [] },
    probes: {},
    stop: { signal: 'SIGTERM', graceSeconds: 5 },
    restart: { withinSeconds: 60, times: 3, backoffMinSeconds: 0.05, backoffMaxSeconds: 1 },
    coldBoot: true,
    ...options.spec,
  };
  return {
    key: options.key ?? newKey(),
    labels: {},
    spec,
    specHash: `sha256:${createHash('sha256').update(JSON.stringify(spec)).digest('hex')}`,
    instances: (options.slots ?? [0]).map((slot) => ({ slot, epoch: options.epoch ?? 1 })),
    bindings: options.bindings ?? NO_BINDINGS,
  };
}
