import { describe, expect, it } from 'vitest';
import { SYSTEM_TENANT, type HostId, type VimId } from '../../kernel/index.ts';
import { buildFunction } from '../../test/kit/descriptor-builder.ts';
import type { HostDocument } from '../domain/index.ts';
import { createMemoryStore } from '../store/index.ts';
import { judgeHost } from './liveness.ts';

const HOST = 'host-1' as HostId;

function verdict(writers: 'single' | 'many', vim: Partial<HostDocument>, silentSeconds: number) {
  const store = createMemoryStore();
  const document: HostDocument = {
    state: 'LOST',
    roles: ['orchestration'],
    enrolledAt: '2030-01-01T00:00:00.000Z',
    tenants: [],
    draining: false,
    disputed: false,
    boots: [],
    ...vim,
  };
  store.commit([{ op: 'create', kind: 'host', id: HOST, tenant: SYSTEM_TENANT, document }]);
  const built = buildFunction('writer');
  const descriptor = {
    ...built,
    state: { ...built.state, writers },
    offline: {
      onDisconnect: 'stop-after',
      stopAfterSeconds: 2,
      relocate: 'allowed',
      coldBoot: false,
      prefetch: [],
    },
  } as const;
  const liveness = {
    silentForMilliseconds: () => silentSeconds * 1000,
    hasLease: () => false,
    isBraked: () => false,
    suspectedHosts: () => [],
  };
  return judgeHost(store, liveness, descriptor, HOST);
}

describe('the silence of a host', () => {
  it('fences a single writer beside an agent, which stops it by then, and never on a VIM, where nobody does', () => {
    expect(verdict('single', {}, 3600)).toEqual({ isLost: true, isAbandoned: true });
    expect(verdict('single', { vimId: HOST as string as VimId }, 3600)).toEqual({
      isLost: true,
      isAbandoned: false,
    });
  });

  it('lets what may run twice be moved from either', () => {
    expect(verdict('many', {}, 3600).isAbandoned).toBe(true);
    expect(verdict('many', { vimId: HOST as string as VimId }, 3600).isAbandoned).toBe(true);
  });
});
