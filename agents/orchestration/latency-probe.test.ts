import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/index.ts';
import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { createLatencyProbe, type LatencyTarget } from './latency-probe.ts';

const TARGET: LatencyTarget = { to: 'zone=north', address: '127.0.0.1', port: 1 };

async function probeWith(answers: readonly (number | Error)[]) {
  const clock = createFakeClock();
  const left = [...answers];
  const probe = createLatencyProbe({
    targets: [TARGET],
    clock,
    measure: async () => {
      const answer = left.shift() ?? Infinity;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  const ending = new AbortController();
  const running = probe.run(ending.signal);
  for (let round = 1; round < answers.length; round += 1) await clock.advance(30_000);
  await clock.advance(0);
  ending.abort();
  await running;
  return probe.measurements();
}

describe('a latency probe', () => {
  it('tells the 95th percentile of its last twenty round trips', async () => {
    const answers = [500, ...Array.from({ length: 19 }, (_, at) => at + 1), 40];
    expect(await probeWith(answers)).toMatchObject([{ to: 'zone=north', p95Milliseconds: 19 }]);
  });

  it('says nothing of what does not answer more than now and then', async () => {
    expect(await probeWith([new RangeError('refused')])).toEqual([]);
    expect(await probeWith([3, new RangeError('refused'), 3])).toEqual([]);
    const seldom = [...Array.from({ length: 19 }, () => 3), new RangeError('refused')];
    expect(await probeWith(seldom)).toMatchObject([{ p95Milliseconds: 3 }]);
  });

  it('measures how long a connection over a real socket takes to be accepted', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const probe = createLatencyProbe({ targets: [{ ...TARGET, port }], clock: systemClock });
    const ending = new AbortController();
    const running = probe.run(ending.signal);
    await once(server, 'connection');
    await expect.poll(() => probe.measurements()).toHaveLength(1);
    ending.abort();
    await running;
    server.close();
    const [measured] = probe.measurements();
    expect(measured?.to).toBe('zone=north');
    expect(measured?.p95Milliseconds).toBeGreaterThan(0);
    expect(measured?.p95Milliseconds).toBeLessThan(5000);
  });
});
