import { array, assert, constantFrom, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostId } from '../../kernel/index.ts';
import type { AgentUpgradePolicy } from '../domain/index.ts';
import { standingOf, type HostSight, type Standing, type UpgradeHost } from './host-standing.ts';
import { planUpgrade } from './plan-upgrade.ts';

const POLICY: AgentUpgradePolicy = {
  waves: [{ count: 1 }, { share: 0.5 }],
  bakeSeconds: 0,
  maxFailed: 0,
  maxAtOnce: 100,
  confirmWithinSeconds: 60,
  giveUpAfterSeconds: 600,
};

function fleet(...standings: readonly Standing[]): readonly UpgradeHost[] {
  return standings.map((standing, index) => ({
    hostId: `gw-${index}` as HostId,
    labels: { host: `gw-${index}` },
    standing,
    version: '1.0.0',
    ...(standing === 'FAILED' ? { reason: 'it hung' } : {}),
  }));
}

describe('the next step of an upgrade of agents', () => {
  const plan = (
    standings: readonly Standing[],
    wavesDone: number,
    policy: Partial<AgentUpgradePolicy> = {},
    baked?: number,
  ): ReturnType<typeof planUpgrade> =>
    planUpgrade({ policy: { ...POLICY, ...policy }, wavesDone }, fleet(...standings), baked);

  // MCO-O-082
  it('gives the version to the hosts of the part whose turn it is, and to nobody else', () => {
    expect(plan(['WAITING', 'WAITING', 'WAITING', 'WAITING'], 0)).toEqual({ type: 'order', hosts: ['gw-0'] });
    expect(plan(['UNDER_WAY', 'WAITING', 'WAITING', 'WAITING'], 0)).toEqual({ type: 'wait' });
    expect(plan(['UPGRADED', 'WAITING', 'WAITING', 'WAITING'], 0)).toEqual({ type: 'next-wave' });
    expect(plan(['UPGRADED', 'WAITING', 'WAITING', 'WAITING'], 1)).toEqual({
      type: 'order',
      hosts: ['gw-1'],
    });
    expect(plan(['UPGRADED', 'UPGRADED', 'WAITING', 'WAITING'], 2)).toEqual({
      type: 'order',
      hosts: ['gw-2', 'gw-3'],
    });
    expect(plan(['UPGRADED', 'UPGRADED', 'UPGRADED', 'UPGRADED'], 2)).toEqual({ type: 'complete' });
  });

  // MCO-O-082
  it('stops where more hosts have failed than may, and says which and why', () => {
    expect(plan(['FAILED', 'WAITING'], 0)).toMatchObject({
      type: 'stop',
      reason: expect.stringContaining('gw-0 did not come up with the version: it hung'),
    });
    expect(plan(['FAILED', 'WAITING'], 0, { maxFailed: 1 })).toEqual({ type: 'next-wave' });
    expect(plan(['FAILED', 'UPGRADED', 'WAITING'], 2, { maxFailed: 1 })).toEqual({
      type: 'order',
      hosts: ['gw-2'],
    });
  });

  // MCO-O-097
  it('waits for no host that is away, unless the whole part is', () => {
    expect(plan(['AWAY', 'WAITING'], 0)).toEqual({ type: 'wait' });
    expect(plan(['UPGRADED', 'AWAY', 'WAITING', 'WAITING'], 1)).toEqual({ type: 'next-wave' });
    expect(plan(['UPGRADED', 'AWAY'], 2)).toEqual({ type: 'complete' });
  });

  // MCO-O-098
  it('counts hosts that cannot be upgraded apart, and waits for none of them', () => {
    expect(plan(['IMPOSSIBLE', 'WAITING'], 0)).toEqual({ type: 'order', hosts: ['gw-1'] });
    expect(plan(['IMPOSSIBLE', 'UPGRADED'], 2)).toEqual({ type: 'complete' });
    expect(plan(['IMPOSSIBLE'], 0)).toEqual({ type: 'next-wave' });
  });

  it('watches a part for as long as it is told before the next', () => {
    const hosts: readonly Standing[] = ['UPGRADED', 'WAITING'];
    expect(plan(hosts, 0, { bakeSeconds: 60 })).toEqual({ type: 'bake' });
    expect(plan(hosts, 0, { bakeSeconds: 60 }, 59)).toEqual({ type: 'wait' });
    expect(plan(hosts, 0, { bakeSeconds: 60 }, 60)).toEqual({ type: 'next-wave' });
  });

  /** Plays an upgrade on hosts that do as they are told. */
  function play(
    standings: readonly Standing[],
    maxAtOnce: number,
  ): { most: number; end: readonly Standing[] } {
    const now = [...standings];
    const underWay = (): number => now.filter((each) => each === 'UNDER_WAY').length;
    let [wavesDone, most] = [0, 0];
    for (let round = 0; round < 100; round += 1) {
      const step = plan(now, wavesDone, { maxAtOnce });
      if (step.type === 'complete') return { most, end: now };
      if (step.type === 'next-wave') wavesDone += 1;
      if (step.type === 'wait') now[now.indexOf('UNDER_WAY')] = 'UPGRADED';
      if (step.type !== 'order') continue;
      for (const id of step.hosts) now[Number(id.slice(3))] = 'UNDER_WAY';
      most = Math.max(most, underWay());
    }
    return { most, end: [] };
  }

  it('never has more hosts under way than may, and comes to its end from wherever hosts that work are', () => {
    const standing = constantFrom<Standing>('WAITING', 'UNDER_WAY', 'IMPOSSIBLE', 'UPGRADED');
    const hosts = array(standing, { minLength: 1, maxLength: 12 });
    assert(
      property(hosts, integer({ min: 1, max: 4 }), (standings, maxAtOnce) => {
        const { most, end } = play(standings, maxAtOnce);
        const before = standings.filter((each) => each === 'UNDER_WAY').length;
        expect(most).toBeLessThanOrEqual(Math.max(maxAtOnce, before));
        expect(new Set(['UPGRADED', ...end])).toEqual(
          new Set(['UPGRADED', ...standings.filter((each) => each === 'IMPOSSIBLE')]),
        );
        expect(end).toHaveLength(standings.length);
      }),
      { numRuns: 300 },
    );
  });
});

describe('how far a host is', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const standing = (sight: Partial<HostSight>): ReturnType<typeof standingOf> =>
    standingOf({ artifact: { digest, sizeBytes: 1 }, policy: POLICY }, 'u-1', {
      facts: undefined,
      isOrdered: true,
      isHeard: true,
      isOverdue: false,
      ...sight,
    });
  const told = (
    state: 'PREPARING' | 'TRYING' | 'CONFIRMED' | 'ROLLED_BACK',
    more: { digest?: string; orderId?: string } = {},
  ): HostSight['facts'] => ({
    agentVersion: '1.0.0',
    agentUpgrade: {
      possible: true,
      ...(more.digest === undefined ? {} : { digest: more.digest }),
      order: {
        orderId: more.orderId ?? 'u-1',
        version: '2.0.0',
        state,
        at: '2026-11-30T08:00:00.000Z',
        reason: 'why',
      },
    },
  });

  it('follows from what its agent says of itself', () => {
    expect(standing({ facts: told('CONFIRMED', { digest }) })).toEqual({ standing: 'UPGRADED' });
    expect(standing({ facts: told('TRYING', { digest }) })).toMatchObject({ standing: 'UNDER_WAY' });
    expect(standing({ facts: told('ROLLED_BACK') })).toEqual({ standing: 'FAILED', reason: 'why' });
    expect(standing({ facts: told('ROLLED_BACK', { orderId: 'u-0' }), isOrdered: false })).toEqual({
      standing: 'WAITING',
    });
    expect(standing({ facts: told('PREPARING'), isHeard: false })).toMatchObject({ standing: 'AWAY' });
    expect(standing({ facts: told('PREPARING'), isOverdue: true })).toMatchObject({
      standing: 'FAILED',
      reason: expect.stringContaining('PREPARING'),
    });
  });

  // MCO-O-098
  it('is that it cannot be upgraded, with the reason, where its agent says so or knows of no such thing', () => {
    expect(standing({})).toMatchObject({ standing: 'IMPOSSIBLE', reason: 'it has not told its facts yet' });
    expect(standing({ facts: { agentVersion: '0.1.0' } }).reason).toMatch(/0\.1\.0.*by hand once/);
    expect(
      standing({ facts: { agentVersion: '0.1.0', agentUpgrade: { possible: false, reason: 'a checkout' } } }),
    ).toEqual({ standing: 'IMPOSSIBLE', reason: 'a checkout' });
  });
});
