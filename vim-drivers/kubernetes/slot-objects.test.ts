import { describe, expect, it } from 'vitest';
import type { TenantId, VnfInstanceId } from '../../kernel/index.ts';
import type { Workload, WorkloadSpec } from '../contract.ts';
import { LABEL, labelValue, namespaceName, NOTE, scopeNamespaceName, slotName } from './names.ts';
import { planPorts } from './plan-ports.ts';
import { claimsOf, portPolicyOf, secretOf, serviceOf, setOf } from './slot-objects.ts';
import type { NumberedPlan } from './slot-plan.ts';

const SPEC: WorkloadSpec = {
  artifact: {
    type: 'container',
    image: 'broker:1',
    command: ['broker', '--id={{ instance.id }}', '$(date)'],
  },
  run: { mode: 'service' },
  resources: { cpuMillis: 250, memoryBytes: 64 * 1024 ** 2 },
  volumes: [],
  files: [{ path: 'conf/app.conf', content: 'port = {{ ports.http }}' }],
  ports: [
    { name: 'http', protocol: 'tcp', expose: true },
    { name: 'metrics', protocol: 'tcp', expose: false },
  ],
  env: { PASSWORD: 'a secret', 'odd name': '{{ host.address }}' },
  bindings: { path: 'bindings.json', onChange: 'reload' },
  security: { nonRoot: true, readOnlyRoot: true, capabilities: ['NET_BIND_SERVICE'] },
  probes: {
    ready: {
      action: { type: 'http', port: 'http', path: '/ready' },
      everySeconds: 0.1,
      timeoutSeconds: 1.5,
      failAfter: 2,
    },
    alive: { action: { type: 'tcp', port: 'http' }, everySeconds: 5, timeoutSeconds: 1, failAfter: 3 },
  },
  stop: { signal: 'SIGTERM', graceSeconds: 2.5 },
  restart: { withinSeconds: 60, times: 3, backoffMinSeconds: 1, backoffMaxSeconds: 10 },
  metrics: { port: 'metrics', path: '/metrics' },
  coldBoot: true,
};

const RECORD = { restart: SPEC.restart, graceSeconds: 2.5, published: [] };

function plan(spec: Partial<WorkloadSpec> = {}, changes: Partial<Workload> = {}): NumberedPlan {
  const workload: Workload = {
    key: { tenant: 'acme' as TenantId, vnfInstanceId: 'v-1' as VnfInstanceId, unit: 'broker', generation: 3 },
    labels: { service: 'Smart <home>' },
    spec: { ...SPEC, ...spec },
    specHash: 'sha256:x',
    instances: [{ slot: 0, epoch: 1 }],
    bindings: { config: {}, requires: {}, clients: [] },
    ...changes,
  };
  return {
    workload,
    slot: 0,
    epoch: 1,
    namespace: 'iotmano-acme',
    scopeLabel: 'here',
    hostId: 'cluster-1',
    hostAddress: '192.0.2.7',
    ports: { http: 30_123, metrics: 20_001 },
    onMachine: new Set(),
  };
}

function deployment(given: NumberedPlan) {
  const set = setOf(given, { replicas: 1, record: RECORD });
  if (set.kind !== 'deployment') throw new Error(`it is a ${set.kind}`);
  const { spec } = set.manifest;
  const [container] = spec?.template.spec?.containers ?? [];
  if (container === undefined) throw new Error('there is no container');
  return { metadata: set.manifest.metadata, pod: spec?.template, container, spec };
}

describe('what runs a slot', () => {
  it('is a Deployment that never has two copies, a StatefulSet where a volume is kept, a Job for a job', () => {
    expect(deployment(plan()).spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
    const volumes = [{ name: 'db', mount: '/data', sizeBytes: 1024, keep: true }];
    expect(setOf(plan({ volumes }), { replicas: 1, record: RECORD }).kind).toBe('statefulSet');
    const job = setOf(plan({ run: { mode: 'job' } }), { replicas: 1, record: RECORD });
    expect(job).toMatchObject({
      kind: 'job',
      manifest: { spec: { backoffLimit: 3, template: { spec: { restartPolicy: 'Never' } } } },
    });
  });

  it('is another job when the copy is another one, for a Job cannot be changed', () => {
    const nameOf = (given: NumberedPlan): string =>
      setOf(given, { replicas: 1, record: RECORD }).manifest.metadata.name;
    const job = plan({ run: { mode: 'job' } });
    expect(nameOf(job)).toBe(nameOf({ ...job }));
    expect(nameOf(job)).not.toBe(nameOf({ ...job, epoch: 2 }));
  });

  it('has limits, rights and grace as the spec says', () => {
    const { container, pod } = deployment(plan());
    expect(container.resources).toEqual({
      requests: { memory: '67108864', cpu: '25m' },
      limits: { memory: '67108864', cpu: '250m' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
    });
    expect(pod?.spec).toMatchObject({
      securityContext: { runAsNonRoot: true, runAsUser: 1000 },
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 3,
    });
    expect(container.volumeMounts).toContainEqual({ name: 'tmp', mountPath: '/tmp' });
  });

  it('has whole seconds for probes, and lets a slow start live', () => {
    const { container } = deployment(plan());
    expect(container.readinessProbe).toEqual({
      httpGet: { path: '/ready', port: 30_123, scheme: 'HTTP' },
      periodSeconds: 1,
      timeoutSeconds: 2,
      failureThreshold: 2,
    });
    expect(container.livenessProbe).toMatchObject({ initialDelaySeconds: 15, periodSeconds: 5 });
  });

  it('has its command word by word: nothing in it is a variable of Kubernetes', () => {
    expect(deployment(plan()).container.command).toEqual(['broker', '--id=v-1-broker-g3-0', '$$(date)']);
  });

  it('sends another signal than SIGTERM before the kubelet sends that', () => {
    expect(deployment(plan()).container.lifecycle).toBeUndefined();
    const { container } = deployment(plan({ stop: { signal: 'SIGINT', graceSeconds: 1 } }));
    expect(container.lifecycle?.preStop?.exec?.command?.at(-1)).toContain('kill -s INT 1');
  });

  it('is another copy for another epoch or spec, and for other bindings only where these mean a restart', () => {
    const copyOf = (given: NumberedPlan): unknown =>
      deployment(given).pod?.metadata?.annotations?.[NOTE.copy];
    const changed = { bindings: { config: { level: 'debug' }, requires: {}, clients: [] } };
    expect(copyOf(plan({}, changed))).toBe(copyOf(plan()));
    expect(copyOf({ ...plan(), epoch: 2 })).not.toBe(copyOf(plan()));
    const restart = { bindings: { path: 'bindings.json', onChange: 'restart' } } as const;
    expect(copyOf(plan(restart, changed))).not.toBe(copyOf(plan(restart)));
  });

  it('shows nothing that may be secret', () => {
    const { pod, metadata } = deployment(plan());
    expect(JSON.stringify([pod, metadata])).not.toContain('a secret');
    const data = Object.values(secretOf(plan()).data ?? {}).map((text) =>
      Buffer.from(text, 'base64').toString(),
    );
    expect(data).toEqual(expect.arrayContaining(['a secret', '192.0.2.7', 'port = 30123']));
  });
});

describe('claims of kept volumes', () => {
  it('have the same name and labels in every generation', () => {
    const volumes = [
      { name: 'db', mount: '/data', sizeBytes: 1024, keep: true },
      { name: 'cache', mount: '/cache', sizeBytes: 1024, keep: false },
    ];
    const key = { ...plan().workload.key, generation: 4 };
    const claims = claimsOf(plan({ volumes }));
    expect(claims).toHaveLength(1);
    expect(claimsOf(plan({ volumes }, { key }))).toEqual(claims);
  });
});

describe('ports', () => {
  const { key } = plan().workload;
  const isNodePort = (number: number): boolean => number >= 30_000 && number <= 32_767;

  it('are node ports where they are exposed, and taken on the machine where no node port may have the number', () => {
    const http = { name: 'http', protocol: 'tcp', expose: true } as const;
    const web = { name: 'web', protocol: 'tcp', expose: true, number: 80 } as const;
    const high = { name: 'high', protocol: 'tcp', expose: true, number: 30_080 } as const;
    const planned = planPorts(key, 0, [http, web, high], isNodePort);
    expect(planned.published).toEqual([http, high]);
    expect(planned.onMachine).toEqual([web]);
  });

  it('that nobody outside asks for differ between slots, stay the same, and avoid fixed ones', () => {
    const ports = ['a', 'b', 'c'].map((name) => ({ name, protocol: 'tcp', expose: false }) as const);
    const numbers = (slot: number): number[] => Object.values(planPorts(key, slot, ports, isNodePort).inner);
    expect(new Set([...numbers(0), ...numbers(1), ...numbers(2)]).size).toBe(9);
    expect(numbers(1)).toEqual(numbers(1));
    const [first = 0] = numbers(0);
    const fixed = { name: 'fixed', protocol: 'tcp', expose: false, number: first } as const;
    const { inner } = planPorts(key, 0, [...ports, fixed], isNodePort);
    expect(new Set(Object.values(inner)).size).toBe(4);
  });

  it('are opened to everybody where they are exposed or have metrics, and one Service names them', () => {
    const policy = portPolicyOf(plan());
    expect(policy?.spec?.ingress?.[0]?.ports?.map(({ port }) => port)).toEqual([30_123, 20_001]);
    const [http] = plan().workload.spec.ports;
    if (http === undefined) throw new Error('no port');
    expect(serviceOf(plan(), [http]).spec).toMatchObject({
      type: 'NodePort',
      ports: [{ name: 'port-0', targetPort: 'port-0', protocol: 'TCP' }],
    });
  });
});

describe('names', () => {
  it('fit where Kubernetes puts them, whatever they are made of', () => {
    const long = { ...plan().workload.key, unit: 'a'.repeat(40), generation: 999_999_999 };
    expect(slotName(long, 999_999_999).length).toBeLessThanOrEqual(57);
    expect(slotName({ ...long, unit: '9-Lives_' }, 0)).toMatch(/^[a-z][a-z0-9-]*[a-z0-9]$/);
    for (const text of ['plain', '-x-', 'ü'.repeat(99), 'https://a/b?c', ''])
      expect(labelValue(text)).toMatch(/^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/);
    expect(namespaceName('iotmano-', 'acme')).toBe('iotmano-acme');
    for (const tenant of ['a'.repeat(60), 'x-'])
      expect(namespaceName('iotmano-', tenant)).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
  });

  it('of what belongs to no tenant is none that a tenant can have', () => {
    expect(scopeNamespaceName('iotmano-')).toBe('iotmano');
    expect(namespaceName('iotmano-', 'system')).not.toBe(scopeNamespaceName('iotmano-'));
  });

  it('label everything with the scope', () => {
    const given = plan();
    const [http] = given.workload.spec.ports;
    const all = [
      secretOf(given),
      portPolicyOf(given),
      serviceOf(given, http ? [http] : []),
      deployment(given).pod,
    ];
    for (const object of all) expect(object?.metadata?.labels?.[LABEL.scope]).toBe('here');
  });
});
