import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostId } from '../../kernel/index.ts';
import {
  HostIndex,
  planRelocation,
  type DisruptionBudget,
  type RelocationGoal,
  type RelocationPlan,
  type RelocationProblem,
} from './index.ts';
import { afterMoves, holdersOf, overfull, rulesThatHold, worlds, type World } from './relocation.testkit.ts';

const hostId = (at: number): HostId => `h${at}` as HostId;

const goals: fc.Arbitrary<RelocationGoal> = fc.oneof(
  fc.constant({ kind: 'rebalance' } as const),
  fc.constant({ kind: 'consolidate' } as const),
  fc.record({
    kind: fc.constant('drain' as const),
    hosts: fc.subarray([0, 1, 2].map(hostId), { minLength: 1 }),
  }),
  fc.record({
    kind: fc.constant('evacuate' as const),
    expression: fc.constantFrom('zone = x', 'tier = cloud'),
  }),
  fc.record(
    {
      kind: fc.constant('move' as const),
      functionId: fc.constantFrom('f-a', 'f-b', 'f-c') as fc.Arbitrary<never>,
      from: fc.subarray([0, 1, 2, 3].map(hostId), { minLength: 1 }),
      to: fc.subarray([0, 1, 2, 3].map(hostId), { minLength: 1 }),
    },
    { requiredKeys: ['kind', 'functionId'] },
  ),
);

const budgets: fc.Arbitrary<DisruptionBudget> = fc.oneof(
  fc.constant({}),
  fc.record(
    {
      maxInstances: fc.nat(4),
      maxAway: fc.nat(2),
      maxAwayShare: fc.constantFrom(0, 0.5, 1),
      maxCost: fc.integer({ min: 0, max: 30 }),
    },
    { requiredKeys: [] },
  ),
);

function check(
  property: (world: World, goal: RelocationGoal, budget: DisruptionBudget, plan: RelocationPlan) => void,
  which: fc.Arbitrary<RelocationGoal> = goals,
  budget: fc.Arbitrary<DisruptionBudget> = budgets,
): void {
  fc.assert(
    fc.property(worlds, which, budget, (world, goal, limits) => {
      property(world, goal, limits, planRelocation(world.snapshot, world.problem, goal, limits));
    }),
    { numRuns: 400 },
  );
}

/** Hosts that a goal wants left. */
function leftBy({ snapshot }: World, goal: RelocationGoal): ReadonlySet<string> {
  if (goal.kind === 'drain') return new Set(goal.hosts);
  if (goal.kind === 'evacuate')
    return new Set(
      snapshot.hosts
        .filter(({ labels, tier }) =>
          goal.expression === 'zone = x' ? labels['zone'] === 'x' : tier === 'cloud',
        )
        .map((host) => host.hostId),
    );
  if (goal.kind !== 'move') return new Set();
  const from = goal.from ?? holdersOf(snapshot, goal.functionId).map((host) => host.hostId);
  const left = new Set<string>(from.filter((each) => goal.to?.includes(each) !== true));
  if (goal.to !== undefined)
    for (const host of snapshot.hosts) if (!goal.to.includes(host.hostId)) left.add(host.hostId);
  return left;
}

const countHeld = (world: World, ids: ReadonlySet<string>, plan: RelocationPlan): number =>
  afterMoves(world, plan.moves)
    .hosts.filter((host) => ids.has(host.hostId))
    .flatMap((host) => host.placed)
    .reduce((total, { instances }) => total + instances, 0);

const carriedOut = (world: World, plan: RelocationPlan): World => ({
  ...world,
  snapshot: afterMoves(world, plan.moves),
});

const usedHosts = ({ snapshot }: World): number =>
  snapshot.hosts.filter(({ placed }) => placed.length > 0).length;

describe('after each step of every plan that moves what is placed', () => {
  it('no host holds more than it has, and every hard rule that held before holds', () => {
    check((world, goal, _budget, plan) => {
      const left = leftBy(world, goal);
      const held = rulesThatHold(world, world.snapshot, left);
      for (let step = 1; step <= (plan.moves.at(-1)?.step ?? 0); step += 1) {
        const now = afterMoves(
          world,
          plan.moves.filter((move) => move.step <= step),
        );
        expect(overfull(now)).toEqual([]);
        const holds = rulesThatHold(world, now, left);
        expect([...held].filter((each) => !holds.has(each))).toEqual([]);
      }
    });
  });

  it('everything that moved is on a host that is READY and that it may be on', () => {
    check((world, goal, _budget, plan) => {
      const left = leftBy(world, goal);
      for (const { functionId, from, to } of plan.moves) {
        const host = world.snapshot.hosts.find((each) => each.hostId === to);
        const placed = world.problem.functions.find(({ request }) => request.functionId === functionId);
        expect(host?.state).toBe('READY');
        expect(world.snapshot.hosts.find((each) => each.hostId === from)?.state).toBe('READY');
        expect(left.has(to)).toBe(false);
        expect(placed?.pinned).toBeUndefined();
        const tiers = placed?.request.tiers ?? [];
        expect(tiers.length === 0 || tiers.includes(host?.tier ?? 'cloud')).toBe(true);
      }
    });
  });
});

describe('every plan that moves what is placed', () => {
  it('stays within its budget', () => {
    check(({ snapshot }, _goal, budget, plan) => {
      const {
        maxInstances = Infinity,
        maxAway = Infinity,
        maxAwayShare = Infinity,
        maxCost = Infinity,
      } = budget;
      expect(plan.instances).toBeLessThanOrEqual(maxInstances);
      expect(plan.cost).toBeLessThanOrEqual(maxCost + 1e-6);
      for (const [functionId, moves] of Map.groupBy(plan.moves, (move) => move.functionId)) {
        const away = moves.reduce((total, { instances }) => total + instances, 0);
        const all = holdersOf(snapshot, functionId).length;
        expect(away).toBeLessThanOrEqual(Math.min(maxAway, Math.max(1, Math.floor(maxAwayShare * all))));
      }
    });
  });

  it('changes nothing when it is made again after it was carried out', () => {
    check(
      (world, goal, budget, plan) => {
        const again = carriedOut(world, plan);
        // Whatever is moved "off where it is" is somewhere afterwards.
        if (goal.kind === 'move' && goal.from === undefined && goal.to === undefined) return;
        expect(planRelocation(again.snapshot, again.problem, goal, budget).moves).toEqual([]);
      },
      goals,
      fc.constant({}),
    );
  });

  it('is the same whatever the order of hosts and functions, and leaves an index as it was', () => {
    check((world, goal, budget, plan) => {
      const shuffled: RelocationProblem = {
        ...world.problem,
        functions: world.problem.functions.toReversed(),
      };
      const index = HostIndex.of({ hosts: world.snapshot.hosts.toReversed() });
      expect(planRelocation(index, shuffled, goal, budget)).toEqual(plan);
      expect(planRelocation(index, shuffled, goal, budget)).toEqual(plan);
    });
  });
});

describe('a plan that empties hosts', () => {
  it('leaves nothing there of which it does not say why', () => {
    check(
      (world, goal, _budget, plan) => {
        const stays = [...plan.stuck, ...plan.spared].reduce((total, { instances }) => total + instances, 0);
        expect(countHeld(world, leftBy(world, goal), plan)).toBe(stays);
      },
      goals.filter(({ kind }) => kind === 'drain' || kind === 'evacuate'),
    );
  });
});

describe('a plan that rebalances', () => {
  it('never makes the score of all worse', () => {
    check(
      (_world, _goal, _budget, { score }) => {
        expect(score.after).toBeGreaterThanOrEqual(score.before - 1e-6);
      },
      fc.constant({ kind: 'rebalance' }),
    );
  });
});

describe('a plan that consolidates', () => {
  it('never has more hosts in use, and names those that it frees', () => {
    check(
      (world, _goal, _budget, plan) => {
        const before = usedHosts(world);
        for (let step = 1; step <= (plan.moves.at(-1)?.step ?? 0); step += 1) {
          const now = afterMoves(
            world,
            plan.moves.filter((move) => move.step <= step),
          );
          expect(usedHosts({ ...world, snapshot: now })).toBeLessThanOrEqual(before);
        }
        expect(before - usedHosts(carriedOut(world, plan))).toBe(plan.freedHosts.length);
      },
      fc.constant({ kind: 'consolidate' }),
    );
  });
});
