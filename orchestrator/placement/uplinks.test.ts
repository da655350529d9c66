import { describe, expect, it } from 'vitest';
import type { VnfInstanceId } from '../../kernel/index.ts';
import { describePlan, planPlacement, type HostSnapshot, type PlacementRequest } from './index.ts';
import { buildDemand, buildHost, buildRequest } from './testkit.ts';

const id = (name: string) => `f-${name}` as VnfInstanceId;
const KBIT = 1000;

const host = (name: string, zone: string, kbit?: number, changes: Partial<HostSnapshot> = {}) =>
  buildHost(name, {
    labels: { zone },
    ...(kbit === undefined ? {} : { uplink: { bitsPerSecond: kbit * KBIT } }),
    ...changes,
  });

const sensor = (instances: number, kbit: number) =>
  buildRequest('sensor', {
    units: [buildDemand(instances, 1)],
    flows: [{ to: id('store'), bitsPerSecond: kbit * KBIT }],
    require: ['zone = edge'],
  });

const placed = (name: string, flows: PlacementRequest['flows'] = []) => ({
  functionId: id(name),
  unit: 'main',
  instances: 1,
  flows,
});

const plan = (hosts: readonly HostSnapshot[], requests: readonly PlacementRequest[]) =>
  describePlan({ requests, rules: [] }, planPlacement({ hosts }, { requests, rules: [] }));

describe('the way out of a zone', () => {
  const store = host('core', 'core', undefined, { placed: [placed('store')] });

  it('carries what all instances of a function send together, and not more', () => {
    const hosts = [store, host('edge', 'edge', 500)];
    expect(plan(hosts, [sensor(2, 250)])).toEqual(['place 2 × sensor/main on edge']);
    expect(plan(hosts, [sensor(3, 250)])).toEqual([
      'sensor/main: no host for 1 instance: of 2 hosts, 1 do not match "zone = edge", 1 lack bandwidth on the way to what it talks to',
    ]);
  });

  it('counts what others send over it already', () => {
    const busy = placed('other', [{ to: id('store'), bitsPerSecond: 400 * KBIT }]);
    const hosts = [store, host('edge-1', 'edge', 500, { placed: [busy] }), host('edge-2', 'edge', 300)];
    expect(plan(hosts, [sensor(1, 250)])).toEqual(['place 1 × sensor/main on edge-2']);
  });

  it('is not needed for what stays in the zone', () => {
    const near = host('edge-2', 'edge', 1, { placed: [placed('store')] });
    expect(plan([near, host('edge-1', 'edge', 1)], [sensor(4, 250)])[0]).toContain('place');
  });

  it('has two ends: where it is sent to has to carry it as well, shared among the instances there', () => {
    const far = (kbit: number) => host(`core-${kbit}`, `core-${kbit}`, kbit, { placed: [placed('store')] });
    expect(plan([far(200), host('edge', 'edge', 1000)], [sensor(1, 250)])[0]).toContain('lack bandwidth');
    expect(plan([far(200), far(201), host('edge', 'edge', 1000)], [sensor(1, 250)])).toEqual([
      'place 1 × sensor/main on edge',
    ]);
  });

  it('is heeded when what is sent to comes after who sends', () => {
    const sender = placed('sensor', [{ to: id('store'), bitsPerSecond: 250 * KBIT }]);
    const hosts = [
      host('edge', 'edge', 100, { placed: [sender] }),
      host('edge-2', 'edge', 100, {
        allocatable: { cpuMillis: 200, memoryBytes: 2 ** 30, storageBytes: 0 },
      }),
      host('core', 'core'),
    ];
    const request = buildRequest('store', { avoidHosts: [hosts[0]?.hostId ?? ('' as never)] });
    expect(plan(hosts, [request])).toEqual(['place 1 × store/main on edge-2']);
    expect(
      plan(
        [hosts[0], hosts[2]].flatMap((each) => each ?? []),
        [request],
      )[0],
    ).toContain('lack bandwidth');
  });
});
