import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type NsInstanceId, type VnfInstanceId, type VnfPkgId } from '../../kernel/index.ts';
import { parseDescriptor, type IoTFunctionDescriptor } from '../../descriptors/index.ts';
import { toPlacementRequest } from './placement-request.ts';

const EXAMPLE = join(import.meta.dirname, '../../descriptors/examples/valid/request-processing.yaml');

function example(): IoTFunctionDescriptor {
  const { descriptor } = parseDescriptor(readFileSync(EXAMPLE, 'utf8'), { file: 'request-processing.yaml' });
  if (descriptor?.kind !== 'IoTFunctionDescriptor') throw new TypeError('the example is no function');
  return descriptor;
}

function requestOf(bind: Readonly<Record<string, VnfInstanceId>>): ReturnType<typeof toPlacementRequest> {
  return toPlacementRequest({
    vnfInstanceId: 'f' as VnfInstanceId,
    tenant: DEFAULT_TENANT,
    instance: { name: 'f', bind, constraints: {}, nsInstanceId: 's' as NsInstanceId },
    function: { vnfPkgId: 'p' as VnfPkgId, descriptor: example(), artifacts: [] },
    counts: { processor: 2 },
    dependents: [],
  });
}

describe('what a descriptor says of its places', () => {
  it('is asked of placement, all of it', () => {
    expect(requestOf({ broker: 'b' as VnfInstanceId })).toMatchObject({
      tiers: ['device-edge', 'cloud-edge', 'cloud'],
      near: [
        { to: { functionId: 'b' }, maxMilliseconds: 20, maxAgeSeconds: 600 },
        { to: { label: 'site=north' }, maxMilliseconds: 50, weight: 10 },
      ],
      spread: [
        { by: 'host', maxSkew: 2, weight: 1000 },
        { by: 'provider', weight: 20 },
      ],
      flows: [{ to: 'b', bitsPerSecond: 256_000 }],
      affinities: [
        {
          type: 'apart',
          with: `(role = infrastructure and name != message-broker) and tenant = ${DEFAULT_TENANT}`,
          scope: 'zone',
          weight: 5,
        },
      ],
      tolerates: ['dedicated=iot'],
      objectives: { cost: 20, metered: 0, availability: 50 },
      priority: 10,
      usesReserve: true,
      providers: ['b'],
      labels: { role: 'cse', tenant: DEFAULT_TENANT, service: 's' },
    });
  });

  it('leaves out nearness to what is bound to nothing here', () => {
    expect(requestOf({}).near).toHaveLength(1);
  });
});
