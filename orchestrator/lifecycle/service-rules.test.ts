import { expect, it } from 'vitest';
import { DEFAULT_TENANT, type NsInstanceId } from '../../kernel/index.ts';
import { buildFunction } from '../../test/kit/descriptor-builder.ts';
import { createMemoryStore } from '../store/index.ts';
import { fetchLimitOf, upgradeOfService } from './service-rules.ts';

const nsInstanceId = 'ns-1' as NsInstanceId;
const GATEWAY = buildFunction('gateway');
const LIMITED = { ...GATEWAY, upgrade: { ...GATEWAY.upgrade, bitsPerSecond: 64_000 } };

it('lets a service say how fast hosts that it covers fetch files, over what the version of the function says', () => {
  const store = createMemoryStore();
  const put = (kind: 'ns-instance' | 'ns-descriptor', id: string, document: object) =>
    store.commit([{ op: 'put', kind, id, tenant: DEFAULT_TENANT, document: document as never }]);
  put('ns-instance', nsInstanceId, { nsdInfoId: 'nsd-1' });
  put('ns-descriptor', 'nsd-1', { descriptor: { upgrade: { bakeSeconds: 60, bitsPerSecond: 256_000 } } });
  const covered = { nsInstanceId, coverage: 'tier = device-edge' };
  expect(fetchLimitOf(store, covered, LIMITED)).toBe(256_000);
  expect(fetchLimitOf(store, { nsInstanceId }, LIMITED)).toBe(64_000);
  expect(fetchLimitOf(store, { nsInstanceId }, GATEWAY)).toBeUndefined();
  expect(upgradeOfService(store, covered)).toEqual({ bakeSeconds: 60 });
});
