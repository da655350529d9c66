import { describe, expect, it } from 'vitest';
import { parseId, type TenantId, type VnfInstanceId } from '../../kernel/index.ts';
import type { ObservedWorkload } from '../../vim-drivers/index.ts';
import { runningCopies, whatTrialWaitsFor } from './what-trial-waits-for.ts';

const key = {
  tenant: parseId<TenantId>('default', 'tenant'),
  vnfInstanceId: parseId<VnfInstanceId>('fn-1', 'vnfInstanceId'),
  unit: 'main',
  generation: 1,
};

function observed(state: ObservedWorkload['instances'][number]['state']): readonly ObservedWorkload[] {
  const instance = { slot: 0, epoch: 0, state, since: '2026-11-30T08:00:00.000Z', restarts: 0, ports: {} };
  return [{ key, specHash: 'sha256:a', instances: [instance] }];
}

// MCO-O-094
describe('what a version on trial waits for', () => {
  const before = runningCopies(observed('RUNNING'));
  const wanted = [{ key, instances: [{ slot: 0, epoch: 0 }] }];
  const wait = (more: Partial<Parameters<typeof whatTrialWaitsFor>[0]>): string | undefined =>
    whatTrialWaitsFor({ isHeard: true, before, wanted, observed: observed('RUNNING'), ...more });

  it('is the orchestrator, then its own look, then the functions that ran before', () => {
    expect(wait({ isHeard: false })).toMatch(/orchestrator/);
    expect(wait({ observed: undefined })).toMatch(/first look/);
    expect(wait({ observed: observed('PENDING') })).toMatch(/that ran before: fn-1-main-g1-0/);
    expect(wait({ observed: [] })).toMatch(/fn-1-main-g1-0/);
    expect(wait({})).toBeUndefined();
  });

  it('is nothing that ended by itself, is not wanted any more, or did not run before', () => {
    expect(wait({ observed: observed('COMPLETED') })).toBeUndefined();
    expect(wait({ observed: [], wanted: [] })).toBeUndefined();
    expect(wait({ observed: observed('PENDING'), before: [] })).toBeUndefined();
  });
});
