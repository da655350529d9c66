import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type NsInstanceId, type VnfInstanceId, type VnfPkgId } from '../../kernel/index.ts';
import { buildFunction, buildUnit } from '../../test/kit/descriptor-builder.ts';
import { canonicalHash } from '../domain/index.ts';
import { buildWorkload, type WorkloadInput } from './build-workload.ts';
import { newInstance } from './prepare-instance.ts';

const UNIT = buildUnit({
  artifacts: [
    { type: 'container', image: 'iotmano/functions:1.0.0' },
    { type: 'process', command: ['node', 'main.js', '--name={{ vnf.name }}'], files: 'functions.tgz' },
  ],
  env: {
    LEVEL: '{{ config.logLevel }}',
    LIMIT: '{{config.limit}}',
    PORT: '{{ ports.http }}',
    WHO: '{{ tenant }}/{{ vnf.id }}/{{ instance.id }}',
  },
  files: [{ path: 'app.yaml', template: 'app.tmpl' }],
});

function input(changes: Partial<WorkloadInput> = {}): WorkloadInput {
  const descriptor = buildFunction('worker', {
    units: [UNIT],
    config: { schema: {}, defaults: { logLevel: 'info', limit: 5 }, secrets: [], apply: {} },
  });
  const pkg = {
    vnfPkgId: 'pkg' as VnfPkgId,
    descriptor,
    artifacts: [
      { path: 'Artifacts/functions.tgz', digest: 'sha256:aa', sizeBytes: 7 },
      { path: 'Artifacts/app.tmpl', digest: 'sha256:bb', sizeBytes: 9 },
    ],
  };
  const id = 'vnf-1' as VnfInstanceId;
  return {
    vnfInstanceId: id,
    tenant: DEFAULT_TENANT,
    instance: { ...newInstance(id, pkg, { vnfInstanceName: 'worker-a' }), config: { logLevel: 'debug' } },
    function: pkg,
    unit: UNIT,
    generation: 3,
    artifactTypes: ['process'],
    bindings: { config: {}, requires: {}, clients: [] },
    ...changes,
  };
}

const templates = ({ digest }: { readonly digest: string }) =>
  `# ${digest} {{ config.logLevel }} {{ host.id }}`;

describe('a workload', () => {
  it('names its service for people, and by its id for platforms that give each service a network', () => {
    const { instance, ...rest } = input();
    const nsInstanceId = 'ns-1' as NsInstanceId;
    const workload = buildWorkload(
      { ...rest, instance: { ...instance, nsInstanceId }, service: 'cse' },
      templates,
    );
    expect(workload.labels).toMatchObject({ service: 'cse', serviceId: 'ns-1' });
    expect(buildWorkload(input(), templates).labels).not.toHaveProperty('serviceId');
  });

  it('has the values that the planner knows, and leaves to the host what only the host knows', () => {
    const { spec } = buildWorkload(input(), templates);
    expect(spec.env).toEqual({
      LEVEL: 'debug',
      LIMIT: '5',
      PORT: '{{ ports.http }}',
      WHO: 'default/vnf-1/{{ instance.id }}',
    });
    expect(spec.files).toEqual([{ path: 'app.yaml', content: '# sha256:bb debug {{ host.id }}' }]);
  });

  it('takes the first artifact that the host can run, by digest', () => {
    expect(buildWorkload(input(), templates).spec.artifact).toEqual({
      type: 'process',
      command: ['node', 'main.js', '--name=worker-a'],
      files: { digest: 'sha256:aa', sizeBytes: 7 },
    });
    const container = buildWorkload(input({ artifactTypes: ['process', 'container'] }), templates);
    expect(container.spec.artifact).toEqual({ type: 'container', image: 'iotmano/functions:1.0.0' });
    expect(() => buildWorkload(input({ artifactTypes: [] }), templates)).toThrow(
      'the host runs artifacts of type none; unit main has container, process',
    );
  });

  it('says how fast a host may fetch its files', () => {
    const limited = buildWorkload(input({ fetchBitsPerSecond: 256_000 }), templates);
    expect(limited.spec.artifact.files).toEqual({
      digest: 'sha256:aa',
      sizeBytes: 7,
      bitsPerSecond: 256_000,
    });
  });

  it('is the same whatever its bindings: they are no part of the spec', () => {
    const one = buildWorkload(input(), templates);
    const other = buildWorkload(
      input({ bindings: { config: { a: 1 }, requires: {}, clients: [] } }),
      templates,
    );
    expect(other.specHash).toBe(one.specHash);
    expect(one.specHash).toBe(canonicalHash(one.spec));
    expect(one.key).toEqual({ tenant: 'default', vnfInstanceId: 'vnf-1', unit: 'main', generation: 3 });
  });

  it('names the file that a package lacks', () => {
    const lacking = input();
    expect(() =>
      buildWorkload({ ...lacking, function: { ...lacking.function, artifacts: [] } }, templates),
    ).toThrow('package pkg has no file Artifacts/functions.tgz');
  });

  it('of a single writer that may move waits for the orchestrator after a reboot, and dies without it', () => {
    const base = input();
    const descriptor = buildFunction('writer', {
      units: [UNIT],
      state: { writers: 'single', migratesFrom: [] },
      offline: {
        onDisconnect: 'stop-after',
        stopAfterSeconds: 8,
        relocate: 'allowed',
        coldBoot: true,
        prefetch: [],
      },
    });
    const { spec } = buildWorkload({ ...base, function: { ...base.function, descriptor } }, templates);
    expect(spec).toMatchObject({ coldBoot: false, stopAfterSeconds: 8 });
  });
});
