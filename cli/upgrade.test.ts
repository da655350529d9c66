import { describe, expect, it } from 'vitest';
import type { Client } from './client.ts';
import { pauseUpgrade } from './upgrade.ts';

const SERVICE = {
  id: 'service',
  nsInstanceName: 'cse',
  vnfInstance: [{ id: 'broker' }, { id: 'gateway' }, { id: 'storage' }],
} as unknown as Parameters<typeof pauseUpgrade>[1];

describe('the pause of an upgrade', () => {
  it('holds the changes of version of the service, and no change that running copies take over', async () => {
    const posted: string[] = [];
    const client = {
      list: () =>
        Promise.resolve([
          {
            id: 'a',
            operation: 'CHANGE_VNFPKG',
            operationState: 'PROCESSING',
            vnfInstanceId: 'broker',
            rollout: {},
          },
          { id: 'b', operation: 'MODIFY_INFO', operationState: 'PROCESSING', vnfInstanceId: 'gateway' },
          {
            id: 'c',
            operation: 'MODIFY_INFO',
            operationState: 'STARTING',
            vnfInstanceId: 'storage',
            rollout: {},
          },
          {
            id: 'd',
            operation: 'CHANGE_VNFPKG',
            operationState: 'COMPLETED',
            vnfInstanceId: 'gateway',
            rollout: {},
          },
          {
            id: 'e',
            operation: 'CHANGE_VNFPKG',
            operationState: 'PROCESSING',
            vnfInstanceId: 'other',
            rollout: {},
          },
        ]),
      post: (path: string) => {
        posted.push(path);
        return Promise.resolve({ status: 204, headers: new Headers(), body: undefined });
      },
    } as unknown as Client;
    expect(await pauseUpgrade(client, SERVICE, 'pause')).toBe(2);
    expect(posted).toEqual(['/iotmano/v1/vnf_lcm_op_occs/a/pause', '/iotmano/v1/vnf_lcm_op_occs/c/pause']);
  });
});
