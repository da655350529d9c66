import { describe, expect, it } from 'vitest';
import type { HostId } from '../../kernel/index.ts';
import { describeCluster } from './inventory.ts';
import type { KubeObject } from './objects.ts';
import { parseQuantity } from './quantities.ts';

type MachineInfo = NonNullable<NonNullable<KubeObject<'node'>['status']>['nodeInfo']>;

const about = { hostId: 'cluster-1' as HostId, labels: { site: 'north' } };

function machine(name: string, changes: Partial<KubeObject<'node'>> = {}): KubeObject<'node'> {
  return {
    metadata: { name, labels: { 'kubernetes.io/hostname': name, zone: 'a' } },
    spec: {},
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      capacity: { cpu: '4', memory: '8Gi', 'ephemeral-storage': '100G' },
      allocatable: { cpu: '3900m', memory: '7Gi', 'ephemeral-storage': '90G' },
      addresses: [{ type: 'InternalIP', address: `192.0.2.${name.length}` }],
      nodeInfo: { architecture: 'arm64' } as MachineInfo,
    },
    ...changes,
  };
}

describe('the inventory of a cluster', () => {
  it('is one host: the sum of the machines that take instances, each of them named', () => {
    const closed = machine('ccc', { spec: { taints: [{ key: 'control-plane', effect: 'NoSchedule' }] } });
    const found = describeCluster([machine('a'), machine('bb'), closed], about);
    expect(found.allocatable).toEqual({ cpuMillis: 7800, memoryBytes: 14 * 1024 ** 3, storageBytes: 180e9 });
    expect(found.labels).toEqual({ zone: 'a', site: 'north' });
    expect(found.architecture).toBe('arm64');
    expect(found.address).toBe('192.0.2.1');
    expect(found.members?.map(({ name, isReady }) => [name, isReady])).toEqual([
      ['a', true],
      ['bb', true],
      ['ccc', false],
    ]);
  });

  it('has nothing to give when no machine is ready', () => {
    const found = describeCluster([machine('a', { spec: { unschedulable: true } })], about);
    expect(found.allocatable.cpuMillis).toBe(0);
    expect(found.labels).toEqual({ site: 'north' });
  });

  it('is reached at an external address rather than an internal one, and at the given one rather than any', () => {
    const external = machine('bb');
    external.status?.addresses?.push({ type: 'ExternalIP', address: '203.0.113.5' });
    expect(describeCluster([machine('a'), external], about).address).toBe('203.0.113.5');
    expect(describeCluster([external], { ...about, address: '198.51.100.1' }).address).toBe('198.51.100.1');
  });
});

describe('quantities', () => {
  it.each([
    ['100m', 0.1],
    ['2', 2],
    ['64Mi', 64 * 1024 ** 2],
    ['1.5Gi', 1.5 * 1024 ** 3],
    ['12345n', 12_345e-9],
    ['1e3', 1000],
    ['5E', 5e18],
    ['nonsense', 0],
    [undefined, 0],
  ])('%s is %d', (text, number) => {
    expect(parseQuantity(text)).toBeCloseTo(number);
  });
});
