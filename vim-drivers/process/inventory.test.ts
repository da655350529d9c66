import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { HostId } from '../../kernel/index.ts';
import { takeInventory } from './inventory.ts';
import { layoutOf } from './layout.ts';

it('counts the cores of a slower processor for less, once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'iotmano-inventory-'));
  try {
    const layout = layoutOf(directory);
    const processor = cpus()[0]?.model ?? process.arch;
    await writeFile(layout.scoreFile, JSON.stringify({ processor, score: 0.5 }));
    const host = { hostId: 'gw-1' as HostId, address: '127.0.0.1', labels: {} };
    const { capacity, allocatable } = await takeInventory(layout, host);
    expect([capacity.cpuMillis, allocatable.cpuMillis]).toEqual([
      availableParallelism() * 500,
      availableParallelism() * 500,
    ]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
