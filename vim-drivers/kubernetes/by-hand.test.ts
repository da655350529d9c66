import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger, systemClock, type HostId } from '../../kernel/index.ts';
import { isServiceMissing } from '../../test/kit/services.ts';
import {
  eventually,
  find,
  NO_BINDINGS,
  nextFence,
  only,
  run,
  runsOf,
  sampleWorkload,
  setSlowness,
  until,
  untilOtherRun,
  untilRunning,
} from '../conformance-site.ts';
import { createKubernetesDriver } from './index.ts';
import { slotName } from './names.ts';
import { kubectl, openKubernetesSite, type KubernetesSite } from './testkit.ts';

const SLOWNESS = 6;

/** One site for all: opening one is what takes long. */
describe.skipIf(isServiceMissing('kubernetes'))(
  'on a cluster that others change,',
  { timeout: 120_000 },
  () => {
    let site: KubernetesSite;

    beforeAll(async () => {
      site = await openKubernetesSite({ quota: { memoryBytes: 512 * 1024 ** 2 } });
      setSlowness(site, SLOWNESS);
    }, 60_000);
    afterAll(() => site?.close(), 120_000);

    it('a pod that somebody deletes is made anew by the cluster, and counted', async () => {
      const workload = sampleWorkload(site);
      await run(site, workload);
      const [before] = await runsOf(site, workload.key);
      await kubectl('delete', 'pod', '-n', site.namespace, '--all', '--wait=false');
      const after = await untilOtherRun(site, workload.key, before);
      expect(after).toMatchObject({ epoch: 1, restarts: 1 });
      await site.driver.remove(workload.key, nextFence());
    });

    it('a set that somebody scales to nothing is told of, and put right by the next apply', async () => {
      const workload = sampleWorkload(site);
      await run(site, workload);
      const set = `deployment/${slotName(workload.key, 0)}`;
      await kubectl('scale', '-n', site.namespace, set, '--replicas=0');
      const stopped = only(await until(site, workload.key, ([one]) => one?.state === 'STOPPED'));
      expect(stopped.reason).toMatch(/scaled .* to 0/);
      expect((await find(site, workload.key))?.specHash).toBe('');
      await site.driver.apply(workload, nextFence());
      await untilRunning(site, workload);
      expect((await find(site, workload.key))?.specHash).toBe(workload.specHash);
      await kubectl('set', 'image', '-n', site.namespace, set, 'main=busybox:local');
      await eventually(site, async () => expect((await find(site, workload.key))?.specHash).toBe(''));
      await site.driver.apply(workload, nextFence());
      await eventually(site, async () =>
        expect((await find(site, workload.key))?.specHash).toBe(workload.specHash),
      );
      const image = await kubectl('get', '-n', site.namespace, set, '-o', 'jsonpath={..containers[0].image}');
      expect(image).toBe('node:24-slim');
      await site.driver.remove(workload.key, nextFence());
      expect(await site.traces(workload.key)).toEqual([]);
    });

    it('a Service that somebody deletes is missed, and made again at the same port', async () => {
      const ports = [{ name: 'http', protocol: 'tcp', expose: true } as const];
      const workload = sampleWorkload(site, { spec: { ports } });
      const before = only(await run(site, workload));
      await kubectl('delete', 'service', '-n', site.namespace, slotName(workload.key, 0));
      await eventually(site, async () => expect((await find(site, workload.key))?.specHash).toBe(''));
      await site.driver.apply(workload, nextFence());
      const after = only(await untilRunning(site, workload));
      expect(after.ports).toEqual(before.ports);
      await site.driver.remove(workload.key, nextFence());
    });

    it('what the quota of the tenant does not allow waits and says so', async () => {
      const resources = { cpuMillis: 100, memoryBytes: 1024 ** 3 };
      const volumes = [{ name: 'db', mount: '/data', sizeBytes: 1024, keep: true }];
      for (const spec of [{ resources }, { resources, volumes }]) {
        const workload = sampleWorkload(site, { spec });
        await site.driver.apply(workload, nextFence());
        const waiting = only(await until(site, workload.key, ([one]) => one?.reason !== undefined));
        expect(waiting.state).toBe('PENDING');
        expect(waiting.reason).toMatch(/quota/);
        await site.driver.remove(workload.key, nextFence(), { deleteKeptVolumes: true });
        expect(await site.traces(workload.key)).toEqual([]);
      }
    });

    it('a node port that a Service has is waited for', async () => {
      const number = 31_000 + Math.trunc(Math.random() * 1700);
      const ports = [{ name: 'http', protocol: 'tcp', expose: true, number } as const];
      const first = sampleWorkload(site, { spec: { ports } });
      const second = sampleWorkload(site, { spec: { ports } });
      await run(site, first);
      await site.driver.apply(second, nextFence());
      const waiting = only((await find(site, second.key))?.instances ?? []);
      expect(waiting).toMatchObject({ state: 'PENDING', reason: `port ${number} (http) is taken` });
      await site.driver.remove(first.key, nextFence());
      expect(only(await untilRunning(site, second)).ports).toEqual({ http: number });
      await site.driver.remove(second.key, nextFence());
    });

    it('two drivers of a scope are the same driver', async () => {
      const other = await openKubernetesSite({
        scope: site.scope,
        namespacePrefix: site.namespace.replace(/default$/, ''),
      });
      try {
        setSlowness(other, SLOWNESS);
        const spec = { bindings: { path: 'b.json', onChange: 'restart' } } as const;
        const workload = sampleWorkload(site, { spec });
        const before = await run(site, workload);
        await eventually(site, async () =>
          expect((await find(other, workload.key))?.instances).toEqual(before),
        );
        const fence = nextFence();
        const changed = { ...workload, bindings: { ...NO_BINDINGS, config: { by: 'other' } } };
        const [first] = await runsOf(site, workload.key);
        await other.driver.apply(changed, fence);
        await expect(
          site.driver.apply(workload, { ...fence, revision: fence.revision - 1 }),
        ).rejects.toMatchObject({ code: 'stale-lease' });
        await untilOtherRun(site, workload.key, first);
        expect((await find(site, workload.key))?.specHash).toBe(workload.specHash);
        await site.driver.remove(workload.key, nextFence());
        await eventually(other, async () => expect(await find(other, workload.key)).toBeUndefined());
      } finally {
        await other.driver.close();
      }
    });

    it('an API server that is cut off in the middle of a command is told of at once, and the command may be given again', async () => {
      const workload = sampleWorkload(site, { slots: [0, 1] });
      const applying = site.driver.apply(workload, nextFence());
      setTimeout(() => site.cut(), 15);
      await expect(applying).rejects.toMatchObject({ code: 'unavailable' });
      const begin = performance.now();
      await expect(site.driver.list()).rejects.toMatchObject({ code: 'unavailable' });
      await expect(site.driver.apply(workload, nextFence())).rejects.toMatchObject({ code: 'unavailable' });
      expect(performance.now() - begin).toBeLessThan(5000);
      await site.mend();
      await eventually(site, () => site.driver.list());
      await run(site, workload);
      await site.driver.remove(workload.key, nextFence());
      expect(await site.traces(workload.key)).toEqual([]);
    });

    it('a namespace of the name that is another’s is never taken over', async () => {
      const prefix = `${site.namespace.replace(/-default$/, '')}x-`;
      await kubectl('create', 'namespace', `${prefix}default`);
      const foreign = await openKubernetesSite({ namespacePrefix: prefix });
      try {
        const workload = sampleWorkload(foreign);
        await expect(foreign.driver.apply(workload, nextFence())).rejects.toMatchObject({
          code: 'driver-failed',
          message: expect.stringContaining(`${prefix}default`) as string,
        });
        expect(await kubectl('get', 'all', '-n', `${prefix}default`, '-o', 'name')).toBe('');
      } finally {
        await foreign.close();
        await kubectl('delete', 'namespace', `${prefix}default`, '--wait=false');
      }
    });

    it('a tenant whose namespace somebody deletes has it again with the next apply', async () => {
      const workload = sampleWorkload(site);
      await run(site, workload);
      await kubectl('delete', 'namespace', site.namespace, '--wait=false');
      await eventually(site, async () => expect(await find(site, workload.key)).toBeUndefined(), 20_000);
      await eventually(site, () => site.driver.apply(workload, nextFence()), 20_000);
      await untilRunning(site, workload);
      await site.driver.remove(workload.key, nextFence());
    });

    it('a cluster that is not there is told of, and a driver can be closed all the same', async () => {
      const driver = await createKubernetesDriver({
        hostId: 'cluster-1' as HostId,
        scope: 'nowhere',
        connection: { type: 'server', server: 'https://127.0.0.1:1', token: 'none' },
        clock: systemClock,
        log: silentLogger,
      });
      const workload = sampleWorkload(site);
      await expect(driver.list()).rejects.toMatchObject({ code: 'unavailable' });
      await expect(driver.apply(workload, nextFence())).rejects.toMatchObject({ code: 'unavailable' });
      await expect(driver.inventory()).rejects.toMatchObject({ code: 'unavailable' });
      await driver.close();
    });
  },
);
