/** The virtual CSE behind a load balancer, under load, while its instances come and go by hand. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadResult } from '../../load/index.ts';
import { buildCatalog } from '../../vnf-catalog/build-packages.ts';
import { isServiceMissing } from '../kit/services.ts';
import { createTestSystem, eventually, type Copy, type TestSystem } from '../kit/test-system.ts';

const SERVICE = 'balanced-cse';
const PLAY_SECONDS = 30;

describe.skipIf(isServiceMissing('nats-server') || isServiceMissing('haproxy'))(
  'the virtual CSE behind a load balancer',
  () => {
    let system: TestSystem;

    beforeAll(async () => {
      system = await createTestSystem();
      await system.startOrchestrator();
      const { functions, services } = await buildCatalog(join(system.folder, 'catalog'));
      await Promise.all([
        system.startAgent('cloud-1', { enrol: true, tier: 'cloud' }),
        system.addHosts('gw-1', 'gw-2'),
      ]);
      await system.readyHosts('cloud-1');
      const packages = [...Object.values(functions), services[SERVICE] ?? ''];
      await succeed(['package', 'onboard', ...packages]);
      const parameters = '--param serviceMilliseconds=15 --param concurrency=2'.split(' ');
      await succeed(['service', 'deploy', SERVICE, ...parameters]);
    }, 120_000);

    afterAll(() => system.cleanUp(), 60_000);

    async function succeed(args: readonly string[]): Promise<void> {
      const { code, stderr } = await system.iotmano(args);
      if (code !== 0) throw new Error(`iotmano ${args.join(' ')} ended with ${code}: ${stderr}`);
    }

    const copiesOf = async (name: string): Promise<readonly Copy[]> =>
      (await system.copies(SERVICE)).filter((copy) => copy.function === name && copy.state === 'RUNNING');

    async function scale(name: string, type: 'SCALE_OUT' | 'SCALE_IN'): Promise<void> {
      const copies = await copiesOf(name);
      const [copy] = copies;
      const wanted = copies.length + (type === 'SCALE_OUT' ? 1 : -1);
      const path = `/vnflcm/v2/vnf_instances/${copy?.vnfInstanceId ?? ''}/scale`;
      const reply = await system.request('POST', path, { type, aspectId: 'load' });
      expect(reply.status).toBe(202);
      const { operationState, error } = await system.ended(
        new URL(reply.headers.get('location') ?? '').pathname,
      );
      expect([operationState, error?.detail]).toEqual(['COMPLETED', undefined]);
      await eventually(`${name} has ${wanted} copies`, async () => (await copiesOf(name)).length === wanted);
    }

    it('fails no request of its devices while gateways and request processing are scaled out and in', async () => {
      const line = `load play -o json --service ${SERVICE} --trace generated:reconnection-burst --speed 20 --for ${PLAY_SECONDS} --devices 20 --peak 100`;
      let isOver = false;
      const playing = system.iotmano(line.split(' ')).finally(() => (isOver = true));
      const turns = [
        ['gateway', 'SCALE_OUT'],
        ['processing', 'SCALE_OUT'],
        ['gateway', 'SCALE_OUT'],
        ['gateway', 'SCALE_IN'],
        ['processing', 'SCALE_IN'],
        ['gateway', 'SCALE_IN'],
      ] as const;
      let played = 0;
      for (const [name, type] of turns) {
        await scale(name, type);
        if (!isOver) played += 1;
      }
      const { code, stdout, stderr } = await playing;
      expect([
        code,
        stderr.includes('declared  processing: a request takes at least 15 ms, 2 at once'),
      ]).toEqual([0, true]);
      const result = JSON.parse(stdout) as LoadResult & { readonly declared: readonly object[] };
      expect(result.requests).toMatchObject({ failed: 0, faults: {} });
      expect(result.requests.answered).toBe(result.requests.due);
      expect(result.requests.due).toBeGreaterThan(100);
      expect(result.declared).toEqual([{ function: 'processing', serviceMilliseconds: 15, concurrency: 2 }]);
      const seen = result.timeline.map(({ instances }) => instances?.['gateway'] ?? 0);
      expect(Math.max(...seen)).toBeGreaterThan(1);
      // On a machine that is slow enough the play ends before the last turns do.
      expect(played).toBeGreaterThanOrEqual(3);
    }, 180_000);

    it('has all of that through one address, which stays', async () => {
      const [balancer] = await copiesOf('balancer');
      const url = `http://127.0.0.1:${balancer?.ports['http'] ?? 0}/cse-in`;
      const headers = { 'X-M2M-Origin': 'CAdmin', 'X-M2M-RI': 'one', 'X-M2M-RVI': '4' };
      expect((await fetch(url, { headers })).status).toBe(200);
      expect(balancer?.restarts).toBe(0);
    });
  },
);
