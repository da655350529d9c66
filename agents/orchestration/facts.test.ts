import { availableParallelism, tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { HostId } from '../../kernel/index.ts';
import type { HostInventory, VimDriver } from '../../vim-drivers/index.ts';
import { collectFacts } from './facts.ts';

describe('facts of a host', () => {
  // MCO-O-004
  it('state its CPU as the driver does, in reference cores, and the score that is in it already', async () => {
    const cores = availableParallelism();
    const resources = { cpuMillis: cores * 500, memoryBytes: 1e9, storageBytes: 1e9 };
    const inventory: HostInventory = {
      hostId: 'gw-1' as HostId,
      architecture: 'arm64',
      labels: {},
      capacity: resources,
      allocatable: resources,
      address: '192.0.2.1',
    };
    const driver = {
      inventory: async () => [inventory],
      capabilities: async () => ({ driver: 'process', artifactTypes: ['process'] }),
    } as unknown as VimDriver;
    const { cpu } = await collectFacts({ tier: 'cloud', labels: {} }, [driver], {
      dataDirectory: tmpdir(),
      agentVersion: '1.0.0',
    });
    expect(cpu).toEqual({ cores, score: 0.5, allocatableMillis: cores * 500 });
  });
});
