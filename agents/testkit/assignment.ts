import type { components } from '../../api-specs/generated/mco.ts';

type Assignment = Omit<components['schemas']['assignment'], 'generation'>;
type Workload = Assignment['workload'];

export interface AssignmentWish {
  readonly name?: string;
  readonly generation?: number;
  readonly instances?: number;
  readonly spec?: Partial<Workload['spec']>;
}

/** An assignment of a function that sleeps for ever, unless told otherwise. */
export function assignmentOf({
  name = 'fn-1',
  generation = 1,
  instances = 1,
  spec = {},
}: AssignmentWish = {}): Assignment {
  return {
    lostAfterSeconds: 30,
    workload: {
      key: { tenant: 'default', vnfInstanceId: name, unit: 'main', generation },
      labels: { function: name },
      spec: {
        artifact: { type: 'process', command: ['node', '-e', 'setInterval(() => {}, 1000)'] },
        run: { mode: 'service' },
        resources: { cpuMillis: 10, memoryBytes: 256 * 1024 ** 2 },
        volumes: [],
        files: [],
        ports: [],
        env: {},
        security: { nonRoot: false, readOnlyRoot: false, capabilities: [] },
        probes: {},
        stop: { signal: 'SIGTERM', graceSeconds: 2 },
        restart: { withinSeconds: 60, times: 5, backoffMinSeconds: 0.1, backoffMaxSeconds: 1 },
        coldBoot: true,
        ...spec,
      },
      specHash: `sha256:${'a'.repeat(64)}`,
      instances: Array.from({ length: instances }, (_, slot) => ({ slot, epoch: 0 })),
      bindings: { config: {}, requires: {}, clients: [] },
    },
  };
}
