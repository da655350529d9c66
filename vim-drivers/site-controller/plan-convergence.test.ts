import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type VnfInstanceId } from '../../kernel/index.ts';
import { workloadId, type ObservedWorkload, type Workload } from '../contract.ts';
import { planConvergence, signatureOf } from './plan-convergence.ts';

function workload(name: number, generation: number, slots: readonly number[], hash: number): Workload {
  return {
    key: { tenant: DEFAULT_TENANT, vnfInstanceId: `v${name}` as VnfInstanceId, unit: 'u', generation },
    labels: {},
    // The planner never looks into the spec: its hash stands for it.
    spec: {} as Workload['spec'],
    specHash: `sha256:${hash}`,
    instances: slots.map((slot) => ({ slot, epoch: 1 })),
    bindings: { config: {}, requires: {}, clients: [] },
  };
}

function observedOf({ key, specHash, instances }: Workload): ObservedWorkload {
  return {
    key,
    specHash,
    instances: instances.map(({ slot, epoch }) => ({
      slot,
      epoch,
      state: 'RUNNING',
      since: '2030-01-01T00:00:00.000Z',
      restarts: 0,
      ports: {},
    })),
  };
}

const workloads = fc.uniqueArray(
  fc
    .tuple(fc.nat(5), fc.integer({ min: 1, max: 2 }), fc.uniqueArray(fc.nat(3)), fc.nat(2))
    .map(([name, generation, slots, hash]) => workload(name, generation, slots, hash)),
  { selector: ({ key }) => workloadId(key) },
);

describe('planning convergence', () => {
  it('wants nothing once every step was taken', () => {
    fc.assert(
      fc.property(workloads, workloads, (wanted, before) => {
        const found = new Map(before.map((one) => [workloadId(one.key), observedOf(one)]));
        const applied = new Map<ReturnType<typeof workloadId>, string>();
        for (const step of planConvergence(wanted, [...found.values()], applied)) {
          if (step.type === 'remove') found.delete(step.id);
          else {
            found.set(step.id, observedOf(step.workload));
            applied.set(step.id, step.signature);
          }
        }
        expect([...found.keys()].toSorted()).toEqual(wanted.map(({ key }) => workloadId(key)).toSorted());
        expect(planConvergence(wanted, [...found.values()], applied)).toEqual([]);
      }),
    );
  });

  it('never plans two steps for one workload, and removes only what is not wanted', () => {
    fc.assert(
      fc.property(workloads, workloads, (wanted, before) => {
        const steps = planConvergence(wanted, before.map(observedOf), new Map());
        expect(new Set(steps.map(({ id }) => id)).size).toBe(steps.length);
        const wantedIds = new Set(wanted.map(({ key }) => workloadId(key)));
        for (const step of steps) expect(step.type).toBe(wantedIds.has(step.id) ? 'apply' : 'remove');
      }),
    );
  });

  it('applies again when a slot has vanished or another spec is found, not when a wanted copy is only unwell', () => {
    const wanted = workload(1, 1, [0, 1], 7);
    const applied = new Map([[workloadId(wanted.key), signatureOf(wanted)]]);
    const found = observedOf(wanted);
    const unwell = {
      ...found,
      instances: found.instances.map((one) => ({ ...one, state: 'FAILED' as const })),
    };
    expect(planConvergence([wanted], [unwell], applied)).toEqual([]);
    const lacking = { ...found, instances: found.instances.slice(1) };
    expect(planConvergence([wanted], [lacking], applied)).toHaveLength(1);
    expect(planConvergence([wanted], [{ ...found, specHash: 'sha256:8' }], applied)).toHaveLength(1);
  });

  it('applies when only the bindings differ', () => {
    const wanted = workload(1, 1, [0], 7);
    const applied = new Map([[workloadId(wanted.key), signatureOf(wanted)]]);
    const rebound = { ...wanted, bindings: { ...wanted.bindings, config: { level: 'debug' } } };
    expect(planConvergence([rebound], [observedOf(wanted)], applied)).toMatchObject([{ type: 'apply' }]);
  });
});
