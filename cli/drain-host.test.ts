import { describe, expect, it } from 'vitest';
import type { Answer, Client } from './client.ts';
import { drainHost } from './drain-host.ts';

interface FakePlan {
  readonly instances: number;
  readonly operations: readonly object[];
  readonly stuck: readonly { readonly reason: string; readonly isPassing: boolean }[];
  readonly spared: readonly object[];
  readonly isCutShort: boolean;
}

const NOTHING: FakePlan = { instances: 0, operations: [], stuck: [], spared: [], isCutShort: false };
const MOVING: FakePlan = { ...NOTHING, instances: 1, operations: [{}] };
const SPARED: FakePlan = {
  ...NOTHING,
  spared: [{ function: 'broker', vduId: 'main', hostId: 'gw-1', instances: 2, limit: 'maxInstances' }],
};

/** An orchestrator that answers with one plan after the other, the last one for ever; a host that is drained is empty at once. */
function orchestrator(...plans: readonly FakePlan[]) {
  const changes: object[] = [];
  let asked = 0;
  const answer = <Body>(body: unknown): Promise<Answer<Body>> =>
    Promise.resolve({ status: 200, headers: new Headers(), body: body as Body });
  const client: Pick<Client, 'get' | 'patch' | 'post'> = {
    get: () => {
      const isEmpty = changes.some((change) => 'draining' in change);
      const left = isEmpty ? 0 : 3;
      const occupancy = {
        assignedInstances: left,
        reportedInstances: left,
        unconfirmedFunctions: 0,
        isEmpty,
      };
      return answer({ hostId: 'gw-1', occupancy });
    },
    patch: (_path, body) => {
      changes.push(body as object);
      return answer({});
    },
    post: () => answer(plans[Math.min(asked++, plans.length - 1)]),
  };
  return { client, changes };
}

const CORDONED = [{ cordoned: true }];
const budget = { maxInstances: 1 };

describe('a drain within a budget', () => {
  it('leaves the rest where it is when the deadline has passed, and says what that is', async () => {
    const { client, changes } = orchestrator(MOVING);
    const drained = drainHost(client, 'gw-1', { budget, deadlineSeconds: 0 });
    await expect(drained).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(
        /gw-1 is not empty after 0 s: 3 instances to run.*it stays cordoned, and nothing beyond the budget was forced/,
      ),
    });
    expect(changes).toEqual(CORDONED);
  });

  it('does not go beyond it for what it never lets move', async () => {
    const { client, changes } = orchestrator(SPARED);
    const drained = drainHost(client, 'gw-1', { budget, deadlineSeconds: 60 });
    await expect(drained).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/the budget keeps 2 of broker main on gw-1 \(maxInstances\)/),
    });
    expect(changes).toEqual(CORDONED);
  });

  it.each([
    [
      'waits for its next attempt',
      { ...NOTHING, stuck: [{ reason: 'it is on its way from one host to another', isPassing: true }] },
    ],
    ['was not reached in time', { ...SPARED, isCutShort: true }],
  ])('goes on as long as something %s', async (_what, plan) => {
    const { client, changes } = orchestrator(plan);
    const drained = drainHost(client, 'gw-1', { budget, deadlineSeconds: 0.6 });
    await expect(drained).rejects.toMatchObject({ message: expect.stringMatching(/is not empty after/) });
    expect(changes).toEqual(CORDONED);
  });

  it('marks the host for what no plan moves, when all that may move has moved', async () => {
    const { client, changes } = orchestrator(NOTHING);
    const host = await drainHost(client, 'gw-1', { budget, deadlineSeconds: 60 });
    expect(host.occupancy?.isEmpty).toBe(true);
    expect(changes).toEqual([{ cordoned: true }, { draining: true }]);
  });
});
