import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseDescriptor, SCHEMAS, type Fault } from './index.ts';

const MINIMAL = `apiVersion: iotmano/v1
kind: IoTFunctionDescriptor
metadata:
  invariantId: urn:test:function:echo
  provider: test
  productName: echo
  softwareVersion: 1.0.0
  descriptorVersion: 1.0.0
  role: infrastructure
units:
  - name: echo
    artifacts: [{ type: process, command: [node, main.js] }]
    resources: { cpu: 100m, memory: 64Mi }
`;
const parse = (text: string) => parseDescriptor(text, { file: 'echo.yaml' });
/** `line:column rule pointer`, as a reader sees them. */
const places = (faults: readonly Fault[]) =>
  faults.map(({ line = 0, column = 0, rule, pointer }) => `${line}:${column} ${rule} ${pointer}`);

function functionOf(text: string) {
  const { descriptor, faults } = parse(text);
  expect(faults.filter(({ severity }) => severity === 'error')).toEqual([]);
  if (descriptor?.kind !== 'IoTFunctionDescriptor') throw new Error('not a function');
  return descriptor;
}

describe('a valid descriptor', () => {
  it('gets all its defaults', () => {
    const { metadata, ...descriptor } = functionOf(MINIMAL);
    expect(metadata.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
    expect(descriptor).toMatchObject({
      run: { mode: 'service' },
      state: { writers: 'many', migratesFrom: [] },
      offline: { onDisconnect: 'keep', relocate: 'allowed', coldBoot: true, prefetch: [] },
      config: { defaults: {}, secrets: [], apply: {} },
      requires: [],
      provides: [],
      flavours: [{ name: 'default', levels: [{ name: 'default', instances: { echo: 1 } }] }],
      placement: { tiers: [], architectures: [], jurisdictions: [], require: [], prefer: [] },
      healing: {
        restart: { withinSeconds: 60, times: 5, backoffMinSeconds: 1, backoffMaxSeconds: 30 },
        lostAfterSeconds: 30,
      },
      upgrade: {
        strategy: 'rolling',
        maxUnavailable: 0,
        maxSurge: 1,
        healthyForSeconds: 10,
        autoRollback: true,
      },
    });
    expect(descriptor.units).toEqual([
      {
        name: 'echo',
        artifacts: [{ type: 'process', command: ['node', 'main.js'] }],
        resources: { cpuMillis: 100, memoryBytes: 64 * 2 ** 20 },
        volumes: [],
        files: [],
        ports: [],
        env: {},
        security: { nonRoot: true, readOnlyRoot: true, capabilities: [] },
        probes: {},
        stop: { signal: 'SIGTERM', graceSeconds: 10 },
      },
    ]);
  });

  it('has the same id for the same provider, product and versions, and another for others', () => {
    const [first, again, other] = [
      MINIMAL,
      `# changed\n${MINIMAL}`,
      MINIMAL.replace('softwareVersion: 1.0.0', 'softwareVersion: 1.0.1'),
    ].map((text) => functionOf(text).metadata.id);
    expect(first).toBe(again);
    expect(first).not.toBe(other);
  });

  it('is written in JSON as well', () => {
    const text = JSON.stringify({
      ...JSON.parse(readFileSync(new URL('examples/valid/as-json.json', import.meta.url), 'utf8')),
    });
    expect(parse(text)).toMatchObject({
      faults: [],
      descriptor: { metadata: { name: 'just-a-broker', provider: 'example' } },
    });
  });

  it('has a single writer and is upgraded by `recreate` when it keeps a volume', () => {
    const { state, upgrade } = functionOf(
      `${MINIMAL}    volumes: [{ name: db, mount: /data, size: 1Gi, keep: true }]\noffline: { relocate: forbidden }\n`,
    );
    expect([state.writers, upgrade.strategy]).toEqual(['single', 'recreate']);
  });

  it('may use anchors and aliases', () => {
    const text = MINIMAL.replace('softwareVersion: 1.0.0', 'softwareVersion: &v 1.0.0').replace(
      'descriptorVersion: 1.0.0',
      'descriptorVersion: *v',
    );
    expect(functionOf(text).metadata.descriptorVersion).toBe('1.0.0');
  });
});

describe('faults', () => {
  it('are told all at once, each with its place', () => {
    const text = MINIMAL.replace('memory: 64Mi', 'memroy: 64Mi')
      .replace('cpu: 100m', 'cpu: plenty')
      .replace('role: infrastructure', 'role: infrastructur')
      .replace('softwareVersion: 1.0.0', 'softwareVersion: 1.0');
    const { descriptor, faults } = parse(
      `${text}    ports: [{ name: a, number: 70000 }, { name: a }]\nplacment: {}\n`,
    );
    expect(descriptor).toBeUndefined();
    expect(places(faults)).toEqual([
      '7:20 schema/type /metadata/softwareVersion',
      '9:9 schema/enum /metadata/role',
      '13:5 schema/required /units/0/resources',
      '13:23 schema/pattern /units/0/resources/cpu',
      '13:31 schema/additionalProperties /units/0/resources/memroy',
      '14:32 schema/maximum /units/0/ports/0/number',
      '14:49 duplicate-name /units/0/ports/1/name',
      '15:1 schema/additionalProperties /placment',
    ]);
  });

  it.each([
    ['memory: 64Mi', 'memroy: 64Mi', '`memroy` is not a property of `0/resources`', 'Did you mean `memory`?'],
    [
      'role: infrastructure',
      'role: infrastructur',
      '`metadata/role` is "infrastructur"',
      'Did you mean `infrastructure`?',
    ],
    ['memory: 64Mi', 'memory: 64MB', '"64MB"', 'Example: "128Mi"'],
    ['memory: 64Mi', 'memory: 64', 'is 64', 'must be a text'],
    ['softwareVersion: 1.0.0', 'softwareVersion: 1.0', 'is 1', 'quotes'],
    ['type: process', 'type: proces', '"proces"', 'Did you mean `process`?'],
    [
      'kind: IoTFunctionDescriptor',
      'kind: IoTFunctionDescripter',
      'IoTFunctionDescripter',
      'Did you mean `IoTFunctionDescriptor`?',
    ],
    [
      'name: echo\n',
      'name: echo\n    devices: []\n',
      '`devices` is not a property',
      'not supported by this version yet',
    ],
    [
      'name: echo\n',
      'name: echo\n    probes: { ready: { every: 1s } }\n',
      'has none of',
      'exactly one of `http`, `tcp` or `exec`',
    ],
    ['name: echo\n', "name: echo\n    env: { 'A B': x }\n", 'the name `A B` is not valid', 'must match'],
    [
      'name: echo\n',
      'name: echo\n    security: { capabilities: [SYS_ADMIN] }\n',
      'is "SYS_ADMIN"',
      'allowed: `AUDIT_WRITE`, `CHOWN`',
    ],
  ])('%j written as %j say what is meant', (from, to, message, remedy) => {
    const { faults } = parse(MINIMAL.replace(from, to));
    expect(faults.map((fault) => `${fault.message} | ${fault.remedy}`).join('\n')).toContain(remedy);
    expect(faults.map((fault) => fault.message).join('\n')).toContain(message);
  });

  it.each([
    ['a: [1', 'yaml/syntax'],
    ['a: 1\na: 2', 'yaml/duplicate-key'],
    ['{"a": 1, "a": 2}', 'yaml/duplicate-key'],
    ['a: !!js/function x', 'yaml/tag'],
    ['a: !!binary aGVsbG8=', 'yaml/tag'],
    ['%YAML 1.1\n---\na: !!set {x}', 'yaml/tag'],
    ['a: *b', 'yaml/alias'],
    ['a: .nan', 'yaml/value'],
    ['__proto__: { polluted: true }', 'yaml/key'],
    ['? [a, b]\n: 1', 'yaml/key'],
    ['a: 1\n---\nb: 1', 'yaml/one-document'],
    ['- a', 'schema/kind'],
    ['', 'schema/kind'],
  ])('of the text %j are of the rule %s', (text, rule) => {
    expect(parse(text).faults.map((fault) => fault.rule)).toContain(rule);
  });

  it.each([
    ['command: [node, main.js]', 'command: [node, "x\\0.js"]', '/units/0/artifacts/0/command/1'],
    ['resources: {', 'env: { A: "a\\0b" }\n    resources: {', '/units/0/env/A'],
    [
      'resources: {',
      'probes: { alive: { exec: { command: [x] }, every: 1ms } }\n    resources: {',
      '/units/0/probes/alive/every',
    ],
  ])('of %j as %j are told at %s, before a host has to bear them', (from, to, pointer) => {
    const text = MINIMAL.replace(from, to);
    expect(text).not.toBe(MINIMAL);
    expect(parse(text).faults.filter(({ severity }) => severity === 'error')).toEqual([
      expect.objectContaining({ pointer }),
    ]);
  });

  it('are told of an upgrade of a service whose window is never open, or longer than a day', () => {
    const service = (window: string) => `apiVersion: iotmano/v1
kind: IoTServiceDescriptor
metadata: { invariantId: "urn:test:service:cse", version: 1.0.0, provider: test, name: cse }
functions: [{ name: echo, function: "urn:test:function:echo", version: ^1.0.0 }]
upgrade: { window: "${window}" }
`;
    const faultsOf = (window: string) => places(parse(service(window)).faults);
    expect(faultsOf('02:00/1m local')).toEqual([]);
    for (const window of ['02:00/0m local', '02:00/25h utc'])
      expect(faultsOf(window)).toEqual(['5:20 upgrade-time-out-of-range /upgrade/window']);
  });

  it('inside of an alias are placed where they are written', () => {
    const text = MINIMAL.replace(
      'resources: {',
      'x: &r { cpu: 0m, memory: 64Mi }\n    resources: *r\n    y: {',
    );
    expect(places(parse(text).faults)).toContain('13:18 quantity-out-of-range /units/0/resources/cpu');
  });
});

describe('the schemas', () => {
  it('describe every property, and show an example of what is not a choice', () => {
    const undescribed: string[] = [];
    const visit = (schema: unknown, path: string): void => {
      if (typeof schema !== 'object' || schema === null) return;
      const {
        properties = {},
        description,
        examples,
        $ref,
        default: fallback,
        ...rest
      } = schema as Record<string, unknown>;
      if (
        /\/properties\/[^/]+$/.test(path) &&
        $ref === undefined &&
        (description === undefined || (examples === undefined && fallback === undefined))
      )
        undescribed.push(path);
      for (const [name, property] of Object.entries(properties as object))
        visit(property, `${path}/properties/${name}`);
      for (const [key, value] of Object.entries(rest))
        if (key !== 'required' && key !== 'enum') visit(value, `${path}/${key}`);
    };
    for (const [name, schema] of Object.entries(SCHEMAS)) visit(schema, name);
    expect(undescribed).toEqual([]);
  });
});
