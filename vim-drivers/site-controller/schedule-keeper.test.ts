import { expect, it } from 'vitest';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { silentLogger } from '../../kernel/index.ts';
import { sampleWorkload } from '../conformance-site.ts';
import { ScheduleKeeper } from './schedule-keeper.ts';

const SITE = { artifact: (command: readonly string[]) => ({ type: 'process', command }) as const };

it('starts nothing that it could not note, and plans again a moment later', async () => {
  const workload = sampleWorkload(SITE, {
    slots: [0],
    spec: {
      run: {
        mode: 'schedule',
        cron: '* * * * *',
        timeZone: 'UTC',
        concurrency: 'forbid',
        atMost: 1,
        startWithinSeconds: 60,
        history: { completed: 3, failed: 1 },
      },
    },
  });
  const keeper = new ScheduleKeeper({
    clock: createFakeClock(),
    log: silentLogger,
    localTimeZone: () => 'UTC',
    book: {
      ids: () => [],
      get: () => undefined,
      put: () => Promise.reject(new RangeError('the disk is full')),
    },
  });
  const wanted = await keeper.plan([workload], [], () => undefined);
  expect(wanted.workloads.flatMap(({ instances }) => instances)).toEqual([]);
  expect(wanted.againInMilliseconds).toBe(1000);
});
