import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isServiceMissing } from '../../test/kit/services.ts';
import {
  eventually,
  find,
  nextFence,
  run,
  runsOf,
  sampleWorkload,
  setSlowness,
} from '../conformance-site.ts';
import { docker, engineAtHand, openDockerSite, TEST_IMAGE, type DockerSite } from './testkit.ts';
import { startOwnEngine, whyNoOwnEngine, type OwnEngine } from './testkit-engine.ts';

const SLOWNESS = 4;
const MINUTES = 60_000;

describe.skipIf(isServiceMissing('docker'))('an engine that is killed and started again', () => {
  let engine: OwnEngine | undefined;
  let site: DockerSite | undefined;
  let reason: string | undefined;

  beforeAll(async () => {
    reason = await whyNoOwnEngine();
    if (reason !== undefined) return;
    engine = await startOwnEngine(engineAtHand(), TEST_IMAGE);
    site = await openDockerSite({ dockerHost: engine.dockerHost, address: '127.0.0.1' });
    setSlowness(site, SLOWNESS);
  }, 3 * MINUTES);
  afterAll(async () => {
    await site?.close().catch(() => undefined);
    await engine?.close();
  }, 2 * MINUTES);

  it(
    'runs the same workloads again, and the driver goes on telling the truth',
    { timeout: 3 * MINUTES },
    async ({ skip }) => {
      if (engine === undefined || site === undefined) return skip(reason);
      const workload = sampleWorkload(site, { slots: [0, 1] });
      const fragile = sampleWorkload(site, {
        spec: { restart: { withinSeconds: 60, times: 0, backoffMinSeconds: 1, backoffMaxSeconds: 1 } },
      });
      const job = sampleWorkload(site, {
        command: ['sh', '-c', 'echo done'],
        spec: { run: { mode: 'job' } },
      });
      await run(site, workload);
      await run(site, fragile);
      await site.driver.apply(job, nextFence());
      const runs = await runsOf(site, workload.key, [0, 1]);
      const done = await eventually(site, async () => {
        const [instance] = (await find(siteOf(), job.key))?.instances ?? [];
        if (instance?.state !== 'COMPLETED') throw new Error(`still ${JSON.stringify(instance)}`);
        return instance;
      });

      await engine.kill();
      await expect(site.driver.list()).rejects.toMatchObject({ code: 'unavailable' });
      await expect(site.driver.apply(workload, nextFence())).rejects.toMatchObject({ code: 'unavailable' });
      await expect(site.driver.remove(workload.key, nextFence())).rejects.toMatchObject({
        code: 'unavailable',
      });
      await engine.start();

      await eventually(site, async () => {
        const all = (await find(siteOf(), workload.key))?.instances ?? [];
        const one = (await find(siteOf(), fragile.key))?.instances ?? [];
        expect([...all, ...one].map(({ state }) => state)).toEqual(['RUNNING', 'RUNNING', 'RUNNING']);
        expect(all.map(({ restarts }) => restarts)).toEqual([1, 1]);
      });
      const after = await runsOf(site, workload.key, [0, 1]);
      expect(after).not.toEqual(runs);
      expect((await find(site, job.key))?.instances).toEqual([done]);
      const containers = await docker(engine.dockerHost, 'ps', '--quiet');
      expect(containers.split('\n')).toHaveLength(3);
      // Nobody needs to apply anything for that; and what is applied changes nothing.
      await site.driver.apply(workload, nextFence());
      expect(await runsOf(site, workload.key, [0, 1])).toEqual(after);

      const { driver } = site;
      const fence = nextFence();
      await Promise.all([workload, fragile, job].map(({ key }) => driver.remove(key, fence)));
      expect(await site.traces(workload.key, fragile.key, job.key)).toEqual([]);
    },
  );

  function siteOf(): DockerSite {
    if (site === undefined) throw new Error('no site is open');
    return site;
  }
});
