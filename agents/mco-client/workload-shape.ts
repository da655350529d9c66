import { parseId, type Branded, type TenantId, type VnfInstanceId } from '../../kernel/index.ts';
import type { RunRule } from '../../descriptors/index.ts';
import type { Bindings, Workload, WorkloadKey } from '../../vim-drivers/index.ts';
import {
  anyObject,
  boolean,
  integer,
  list,
  map,
  number,
  object,
  oneOf,
  text,
  variant,
  type Shape,
} from './shape.ts';

function id<Id extends Branded<string>>(value: unknown, at: string): Id {
  return parseId<Id>(value, at);
}
export const digest = text(/^sha256:[0-9a-f]{64}$/);
const port = integer(1);
const artifactReference = object({ digest, sizeBytes: integer() }, { bitsPerSecond: integer(1) });

const probe = object({
  action: variant({
    http: object({ type: oneOf('http'), port: text(), path: text() }),
    tcp: object({ type: oneOf('tcp'), port: text() }),
    exec: object({ type: oneOf('exec'), command: list(text()) }),
  }),
  everySeconds: number(0),
  timeoutSeconds: number(0),
  failAfter: integer(),
});

const schedule = object(
  {
    mode: oneOf('schedule'),
    cron: text(),
    timeZone: text(),
    concurrency: oneOf('forbid', 'replace', 'allow'),
    atMost: integer(1),
    startWithinSeconds: number(0),
    history: object({ completed: integer(), failed: integer() }),
  },
  { timeLimitSeconds: number(0), pausedBy: text() },
);
const unscheduled = object({ mode: oneOf('service', 'job') });

const run: Shape<RunRule> = (value, at) => {
  const { mode } = anyObject(value, at);
  return mode === 'schedule' ? schedule(value, at) : unscheduled(value, at);
};

const spec = object(
  {
    artifact: variant({
      process: object({ type: oneOf('process'), command: list(text()) }, { files: artifactReference }),
      container: object(
        { type: oneOf('container'), image: text() },
        { command: list(text()), files: artifactReference },
      ),
    }),
    run,
    resources: object({ cpuMillis: integer(), memoryBytes: integer() }),
    volumes: list(object({ name: text(), mount: text(), sizeBytes: integer(), keep: boolean })),
    files: list(object({ path: text(), content: text() })),
    ports: list(object({ name: text(), protocol: oneOf('tcp', 'udp'), expose: boolean }, { number: port })),
    env: map(text()),
    security: object({ nonRoot: boolean, readOnlyRoot: boolean, capabilities: list(text()) }),
    probes: object({}, { ready: probe, alive: probe }),
    stop: object({ signal: oneOf('SIGTERM', 'SIGINT', 'SIGQUIT'), graceSeconds: number(0) }),
    restart: object({
      withinSeconds: number(0),
      times: integer(),
      backoffMinSeconds: number(0),
      backoffMaxSeconds: number(0),
    }),
    coldBoot: boolean,
  },
  {
    bindings: object({ path: text(), onChange: oneOf('reload', 'restart') }),
    metrics: object({ port: text(), path: text() }),
    stopAfterSeconds: number(0),
  },
);

const bindings = object({
  config: anyObject,
  requires: map(
    object(
      {
        capability: text(),
        protocol: text(),
        endpoints: list(object({ host: text(), port, instance: text() })),
      },
      { credential: object({ id: text() }, { seed: text() }) },
    ),
  ),
  clients: list(
    object({ id: text(), capability: text(), publicKey: text(), access: anyObject, function: text() }),
  ),
});

export const workloadKey: Shape<WorkloadKey> = object({
  tenant: id<TenantId>,
  vnfInstanceId: id<VnfInstanceId>,
  unit: text(/^[a-z0-9-]{1,40}$/),
  generation: integer(),
});

type BoundRequirement = Bindings['requires'][string];

/** A workload as it is assigned: its secrets may be sealed beside it. */
export interface AssignedWorkload extends Omit<Workload, 'bindings'> {
  readonly bindings: Omit<Bindings, 'requires'> & {
    readonly requires: Readonly<
      Record<
        string,
        Omit<BoundRequirement, 'credential'> & {
          readonly credential?: { readonly id: string; readonly seed?: string };
        }
      >
    >;
  };
}

export const workload: Shape<AssignedWorkload> = object({
  key: workloadKey,
  labels: map(text()),
  spec,
  specHash: digest,
  instances: list(object({ slot: integer(), epoch: integer() })),
  bindings,
});
