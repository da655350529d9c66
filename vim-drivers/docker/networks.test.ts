import { expect, it } from 'vitest';
import { DEFAULT_TENANT, type VnfInstanceId } from '../../kernel/index.ts';
import { dnsAliases, keptVolume, networkName } from './names.ts';
import { chooseSubnet } from './subnets.ts';

const KEY = { tenant: DEFAULT_TENANT, vnfInstanceId: 'abc' as VnfInstanceId, unit: 'main', generation: 3 };

it('names a network after scope, tenant and service, and else after scope and tenant', () => {
  const ofService = networkName('scope', KEY, { service: 'Road Traffic', serviceId: 'ns-1' });
  expect(ofService).toMatch(/^iotmano-[0-9a-f]{8}-default\.ns-1$/);
  expect(networkName('other', KEY, { serviceId: 'ns-1' })).not.toBe(ofService);
  expect(networkName('scope', KEY, { service: 'Road Traffic' })).toMatch(
    /-default\.road-traffic-[0-9a-f]{6}$/,
  );
  expect(networkName('scope', KEY, { service: 'road traffic' })).not.toBe(
    networkName('scope', KEY, { service: 'Road Traffic' }),
  );
  expect(networkName('scope', KEY, {})).toMatch(/^iotmano-[0-9a-f]{8}-default$/);
});

it('gives names that DNS takes', () => {
  expect(dnsAliases({ constituent: 'broker', function: 'broker' })).toEqual(['broker']);
  for (const alias of dnsAliases({ constituent: 'Ä b', function: 'x'.repeat(90) }))
    expect(alias).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
});

it('names a kept volume the same for every generation', () => {
  expect(keptVolume(KEY, 0, 'db')).toBe(keptVolume({ ...KEY, generation: 4 }, 0, 'db'));
  expect(keptVolume(KEY, 0, 'db')).not.toBe(keptVolume(KEY, 1, 'db'));
});

it('chooses subnets that overlap no network', () => {
  expect(chooseSubnet([])).toBe('198.18.0.0/24');
  expect(chooseSubnet(['172.17.0.0/16', '198.18.0.0/23', '198.18.3.0/24'])).toBe('198.18.2.0/24');
  expect(chooseSubnet(['198.18.0.0/15'])).toBeUndefined();
  expect(chooseSubnet(['fd00::/64', 'nonsense'])).toBe('198.18.0.0/24');
});
