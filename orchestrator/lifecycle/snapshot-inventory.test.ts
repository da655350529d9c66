import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT } from '../../kernel/index.ts';
import { buildFunction, buildUnit } from '../../test/kit/descriptor-builder.ts';
import { createLifecycleBench } from '../../test/kit/lifecycle-bench.ts';
import { onboardFunction } from '../../test/kit/simulated-host.ts';

describe('the CPU of a host', () => {
  it('is what it states in thousandths of a reference core: its score is in that already', () => {
    // Four cores, each half as fast as the reference core.
    const facts = { cpu: { cores: 4, score: 0.5, allocatableMillis: 2000 } };
    const bench = createLifecycleBench([{ hostId: 'slow', facts }]);
    const fits = (name: string, cpuMillis: number): boolean => {
      const units = [buildUnit({ resources: { cpuMillis, memoryBytes: 1 } })];
      onboardFunction(bench.store, buildFunction(name, { units }));
      const { id } = bench.lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId: `vnfd-${name}` });
      return bench.lifecycle.vnf.planInstantiation(DEFAULT_TENANT, id, { flavourId: 'default' }).fits;
    };
    expect([fits('all', 2000), fits('too-much', 2001)]).toEqual([true, false]);
  });
});
