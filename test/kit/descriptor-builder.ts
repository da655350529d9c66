import type {
  DescriptorUnit,
  IoTFunctionDescriptor,
  IoTServiceDescriptor,
  ServiceConstituent,
} from '../../descriptors/index.ts';

/** A unit that needs little; what a test is about comes in `changes`. */
export function buildUnit(changes: Partial<DescriptorUnit> = {}): DescriptorUnit {
  return {
    name: 'main',
    artifacts: [{ type: 'process', command: ['node', 'main.js'] }],
    resources: { cpuMillis: 100, memoryBytes: 64 * 2 ** 20 },
    volumes: [],
    files: [],
    ports: [{ name: 'http', protocol: 'tcp', expose: true }],
    env: {},
    bindings: { path: 'bindings.json', onChange: 'reload' },
    security: { nonRoot: true, readOnlyRoot: true, capabilities: [] },
    probes: {},
    stop: { signal: 'SIGTERM', graceSeconds: 1 },
    ...changes,
  };
}

/** A function called `name` with one unit `main`, one instance, no rules. */
export function buildFunction(
  name: string,
  changes: Partial<IoTFunctionDescriptor> = {},
): IoTFunctionDescriptor {
  return {
    kind: 'IoTFunctionDescriptor',
    metadata: {
      invariantId: `urn:test:function:${name}`,
      id: `vnfd-${name}`,
      provider: 'test',
      productName: name,
      softwareVersion: '1.0.0',
      descriptorVersion: '1.0.0',
      role: 'cse',
      csf: [],
    },
    run: { mode: 'service' },
    state: { writers: 'many', migratesFrom: [] },
    offline: { onDisconnect: 'keep', relocate: 'allowed', coldBoot: true, prefetch: [] },
    config: { schema: { type: 'object' }, defaults: {}, secrets: [], apply: {} },
    requires: [],
    provides: [],
    units: [buildUnit()],
    flavours: [{ name: 'default', levels: [{ name: 'small', instances: { main: 1 } }] }],
    scaling: [],
    placement: { tiers: [], architectures: [], jurisdictions: [], require: [], prefer: [] },
    healing: {
      restart: { withinSeconds: 60, times: 3, backoffMinSeconds: 1, backoffMaxSeconds: 10 },
      lostAfterSeconds: 10,
    },
    upgrade: {
      strategy: 'rolling',
      maxUnavailable: 0,
      maxSurge: 1,
      healthyForSeconds: 10,
      autoRollback: true,
    },
    alarms: [],
    ...changes,
  };
}

/** A function that provides a capability of its own name, on port `http` of unit `main`. */
export function buildProvider(
  name: string,
  changes: Partial<IoTFunctionDescriptor> = {},
): IoTFunctionDescriptor {
  return buildFunction(name, {
    provides: [{ capability: name, protocol: 'http', unit: 'main', port: 'http' }],
    ...changes,
  });
}

/** What a function requires, by name of the capability. */
export function requirement(capability: string, optional = false): IoTFunctionDescriptor['requires'][number] {
  return { name: capability, capability, protocol: 'http', access: { for: capability }, optional };
}

export function buildConstituent(
  name: string,
  changes: Partial<ServiceConstituent> = {},
): ServiceConstituent {
  return { name, function: `urn:test:function:${name}`, version: '^1.0.0', bind: {}, config: {}, ...changes };
}

export function buildService(
  name: string,
  functions: readonly ServiceConstituent[],
  changes: Partial<IoTServiceDescriptor> = {},
): IoTServiceDescriptor {
  return {
    kind: 'IoTServiceDescriptor',
    metadata: {
      invariantId: `urn:test:service:${name}`,
      id: `nsd-${name}`,
      version: '1.0.0',
      provider: 'test',
      name,
    },
    parameters: { schema: { type: 'object' }, defaults: {} },
    functions,
    aspects: [],
    placement: [],
    ...changes,
  };
}
