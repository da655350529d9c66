import { describe, expect, it } from 'vitest';
import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import {
  planRelocation,
  type HostSnapshot,
  type PlacedFunction,
  type PlacementRequest,
  type PlacementRule,
  type RelocationPace,
  type RelocationPlan,
} from './index.ts';
import { buildDemand, buildHost, buildRequest } from './testkit.ts';

const MIB = 2 ** 20;
const hosts = (...names: readonly string[]): HostId[] => names as HostId[];

/** A function of so many MiB whose instances are on the hosts named. */
interface Placed {
  readonly on: readonly string[];
  readonly memoryMiB?: number;
  readonly changes?: Partial<PlacementRequest>;
  readonly more?: Partial<PlacedFunction>;
}

function world(
  names: readonly (readonly [string, Partial<HostSnapshot>?])[],
  placed: Readonly<Record<string, Placed>>,
  rules: readonly PlacementRule[] = [],
) {
  const functions = Object.entries(placed).map(([name, { on, memoryMiB = 128, changes, more }]) => ({
    request: buildRequest(name, {
      units: [buildDemand(on.length, memoryMiB)],
      labels: { name },
      ...changes,
    }),
    ...more,
  }));
  const snapshots = names.map(([hostId, changes]) => {
    const here = functions.flatMap(({ request }) => {
      const [unit] = request.units;
      const on = placed[request.name]?.on ?? [];
      const instances = on.filter((each) => each === hostId).length;
      return unit === undefined || instances === 0 ? [] : [{ request, unit, instances }];
    });
    const sum = (of: (each: (typeof here)[number]) => number): number =>
      here.reduce((total, each) => total + of(each) * each.instances, 0);
    return buildHost(hostId, {
      ...changes,
      used: {
        cpuMillis: sum(({ unit }) => unit.resources.cpuMillis),
        memoryBytes: sum(({ unit }) => unit.resources.memoryBytes),
        storageBytes: 0,
      },
      placed: here.map(({ request, unit, instances }) => ({
        functionId: request.functionId,
        unit: unit.unit,
        instances,
        labels: request.labels ?? {},
      })),
    });
  });
  return { snapshot: { hosts: snapshots }, problem: { functions, rules } };
}

const told = ({ moves }: RelocationPlan): readonly string[] =>
  moves.map(
    ({ step, functionId, from, to, instances }) => `${step}: ${instances} ${functionId} ${from} > ${to}`,
  );

const id = (name: string): VnfInstanceId => `f-${name}` as VnfInstanceId;
const small = (memoryMiB: number): Partial<HostSnapshot> => ({
  allocatable: { cpuMillis: 4000, memoryBytes: memoryMiB * MIB, storageBytes: 0 },
});

/** Time that is up after so many looks at the clock. */
function timeFor(looks: number): Pick<RelocationPace, 'timeLeft'> {
  let looked = 0;
  const timeLeft = (): number => {
    looked += 1;
    return 1 - (looked - 1) / looks;
  };
  return { timeLeft };
}

describe('a plan that has to be ready before all is looked at', () => {
  const { snapshot, problem } = world([['h1'], ['h2']], { a: { on: Array.from({ length: 8 }, () => 'h1') } });
  const drain = { kind: 'drain', hosts: hosts('h1') } as const;

  it('ends with the moves that it has, and says what time has kept', () => {
    const whole = planRelocation(snapshot, problem, drain);
    expect(whole).toMatchObject({ instances: 8, spared: [], isCutShort: false });
    const cut = planRelocation(snapshot, problem, drain, {}, timeFor(8));
    expect(cut.instances).toBeGreaterThan(0);
    expect(cut.instances).toBeLessThan(8);
    expect(cut).toMatchObject({
      isCutShort: true,
      stuck: [],
      spared: [{ name: 'a', hostId: 'h1', instances: 8 - cut.instances, limit: 'time' }],
    });
  });

  it('moves nothing where there is no time at all', () => {
    for (const goal of [drain, { kind: 'rebalance' }, { kind: 'consolidate' }] as const)
      expect(planRelocation(snapshot, problem, goal, {}, { timeLeft: () => 0 })).toMatchObject({
        moves: [],
        isCutShort: true,
      });
  });

  it('looks at a part of the functions, the one that it is told to begin with, and says that it is not whole', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const changes = { prefer: [{ expression: 'zone = x', weight: 5 }] };
    const mixed = world(
      [['h1'], ['h2', { labels: { zone: 'x' } }]],
      Object.fromEntries(names.map((name) => [name, { on: ['h1'], changes }])),
    );
    const rebalance = (pace?: Partial<RelocationPace>) =>
      planRelocation(mixed.snapshot, mixed.problem, { kind: 'rebalance' }, {}, pace);
    expect(rebalance()).toMatchObject({ instances: 8, isCutShort: false });
    for (const [startAt, first] of [
      [0, ['f-a', 'f-b', 'f-c', 'f-d']],
      [0.5, ['f-e', 'f-f', 'f-g', 'f-h']],
    ] as const) {
      const { moves, isCutShort } = rebalance({ ...timeFor(16), startAt });
      expect(isCutShort).toBe(true);
      expect(moves).not.toEqual([]);
      expect(first).toEqual(expect.arrayContaining(moves.map(({ functionId }) => functionId)));
    }
  });
});

describe('a plan that drains hosts', () => {
  it('places the large first, and so finds room for all', () => {
    const { snapshot, problem } = world([['h1'], ['h2', small(256)], ['h3', small(128)]], {
      a: { on: ['h1'], memoryMiB: 100 },
      b: { on: ['h1'], memoryMiB: 200 },
    });
    const plan = planRelocation(snapshot, problem, { kind: 'drain', hosts: hosts('h1') });
    expect(told(plan)).toEqual(['1: 1 f-b h1 > h2', '2: 1 f-a h1 > h3']);
    expect(plan).toMatchObject({ freedHosts: ['h1'], stuck: [], instances: 2, cost: 20 });
  });

  it('says of what stays why, in the words of placement', () => {
    const { snapshot, problem } = world([['h1'], ['h2', small(64)]], {
      a: { on: ['h1', 'h1'] },
      b: { on: ['h1'], more: { pinned: 'it keeps a volume there' } },
    });
    const { stuck } = planRelocation(snapshot, problem, { kind: 'drain', hosts: hosts('h1') });
    expect(stuck).toMatchObject([
      {
        name: 'a',
        instances: 2,
        reason: 'of 2 hosts, 1 are to be left, 1 lack memory: need 128 MiB, most free 64 MiB',
      },
      { name: 'b', reason: 'it keeps a volume there' },
    ]);
  });

  it('moves nothing off a host that is not heard from', () => {
    const { snapshot, problem } = world([['h1', { state: 'SUSPECT' }], ['h2']], { a: { on: ['h1'] } });
    expect(planRelocation(snapshot, problem, { kind: 'drain', hosts: hosts('h1') })).toMatchObject({
      moves: [],
      stuck: [{ reason: 'its host is SUSPECT: nobody knows whether it would let go' }],
    });
  });

  it('moves all that belongs together in one step, to where there is room for all of it', () => {
    const rules: readonly PlacementRule[] = [
      { type: 'together', functionIds: [id('a'), id('b')], scope: 'host' },
    ];
    const { snapshot, problem } = world(
      [['h1'], ['h2', small(128)], ['h3']],
      { a: { on: ['h1'] }, b: { on: ['h1'] } },
      rules,
    );
    const plan = planRelocation(snapshot, problem, { kind: 'drain', hosts: hosts('h1') });
    expect(told(plan)).toEqual(['1: 1 f-a h1 > h3', '1: 1 f-b h1 > h3']);
  });

  it('leaves no function with a broken rule, though the one that moves has none', () => {
    const { snapshot, problem } = world(
      [
        ['h1', { labels: { zone: 'x' } }],
        ['h2', { labels: { zone: 'x' }, ...small(64) }],
        ['h3', { labels: { zone: 'y' } }],
      ],
      {
        cse: { on: ['h1'] },
        gateway: {
          on: ['h2'],
          memoryMiB: 16,
          changes: { affinities: [{ type: 'together', with: 'name = cse', scope: 'zone' }] },
        },
      },
    );
    expect(planRelocation(snapshot, problem, { kind: 'drain', hosts: hosts('h1') })).toMatchObject({
      moves: [],
      stuck: [{ name: 'cse', reason: 'a rule of gateway would be broken' }],
    });
  });
});

describe('a plan that evacuates', () => {
  it('leaves a zone, whose hosts no longer count for an even spread', () => {
    const spread = [{ by: 'zone', maxSkew: 1 }];
    const { snapshot, problem } = world(
      ['x', 'y', 'z'].map((zone) => [`h-${zone}`, { labels: { zone } }] as const),
      { a: { on: ['h-x', 'h-y', 'h-z'], changes: { spread } } },
    );
    const plan = planRelocation(snapshot, problem, { kind: 'evacuate', expression: 'zone = z' });
    expect(told(plan)).toEqual(['1: 1 f-a h-z > h-x']);
  });
});

describe('a plan that rebalances', () => {
  it('spreads what came to be in one zone, the worst first within its budget', () => {
    const { snapshot, problem } = world(
      ['x', 'y', 'z'].map((zone) => [`h-${zone}`, { labels: { zone } }] as const),
      { a: { on: ['h-x', 'h-x', 'h-x'], changes: { spread: [{ by: 'zone' }] } } },
    );
    const plan = planRelocation(snapshot, problem, { kind: 'rebalance' }, { maxInstances: 1 });
    expect(told(plan)).toEqual(['1: 1 f-a h-x > h-y']);
    expect(plan.spared).toMatchObject([{ hostId: 'h-x', limit: 'maxInstances' }]);
    const all = planRelocation(snapshot, problem, { kind: 'rebalance' });
    expect(told(all)).toEqual(['1: 1 f-a h-x > h-y', '2: 1 f-a h-x > h-z']);
    expect(all.score).toEqual({ before: -3000.03, after: 0 });
  });

  it('moves to a cheaper host where cost matters, and not for what placement calls nearly equal', () => {
    const names = [
      ['h1', { costPerHour: 2 }],
      ['h2', { costPerHour: 1 }],
    ] as const;
    const placed = (cost: number) => ({ a: { on: ['h1'], changes: { objectives: { cost } } } });
    const dear = world(names, placed(1));
    expect(told(planRelocation(dear.snapshot, dear.problem, { kind: 'rebalance' }))).toEqual([
      '1: 1 f-a h1 > h2',
    ]);
    const even = world(names, placed(0.1));
    expect(planRelocation(even.snapshot, even.problem, { kind: 'rebalance' }).moves).toEqual([]);
  });

  it('evens out the load of hosts that are as good, by as few instances as do it', () => {
    const { snapshot, problem } = world([['h1'], ['h2']], {
      a: { on: ['h1'], memoryMiB: 300 },
      b: { on: ['h1'], memoryMiB: 300 },
    });
    const plan = planRelocation(snapshot, problem, { kind: 'rebalance' });
    expect(told(plan)).toEqual(['1: 1 f-a h1 > h2']);
    expect(plan.loadSpread.after).toBe(0);
  });

  it('takes instances off hosts that they may not be on any more', () => {
    const taints = [{ text: 'dedicated=lab', effect: 'refuse' as const }];
    const { snapshot, problem } = world([['h1', { taints }], ['h2']], { a: { on: ['h1'] } });
    const plan = planRelocation(snapshot, problem, { kind: 'rebalance' });
    expect(told(plan)).toEqual(['1: 1 f-a h1 > h2']);
    expect(plan.score).toEqual({ before: -1_000_000, after: 0 });
  });
});

describe('a plan that consolidates', () => {
  it('empties the dearest hosts, as a whole or not at all, onto hosts that are in use', () => {
    const { snapshot, problem } = world(
      [
        ['dear', { costPerHour: 9 }],
        ['cheap', { costPerHour: 1, ...small(300) }],
        ['idle', { costPerHour: 0 }],
      ],
      { a: { on: ['dear'] }, b: { on: ['cheap'] } },
    );
    const plan = planRelocation(snapshot, problem, { kind: 'consolidate' });
    expect(told(plan)).toEqual(['1: 1 f-a dear > cheap']);
    expect(plan.freedHosts).toEqual(['dear']);
  });

  it('leaves a host alone of which the budget would leave half', () => {
    const { snapshot, problem } = world([['h1', { costPerHour: 9 }], ['h2']], {
      a: { on: ['h1', 'h1'] },
      b: { on: ['h2', 'h2'] },
    });
    const plan = planRelocation(snapshot, problem, { kind: 'consolidate' }, { maxAway: 1 });
    expect(plan.moves).toEqual([]);
    expect(plan.spared).toMatchObject([{ hostId: 'h1', limit: 'maxAway' }, { hostId: 'h2' }]);
  });
});

describe('a plan that moves one function', () => {
  it('takes the units and hosts named, and no other host than those that it may go to', () => {
    const { snapshot, problem } = world([['h1'], ['h2'], ['h3'], ['h4']], {
      a: { on: ['h1', 'h2'] },
      b: { on: ['h1'] },
    });
    const goal = { kind: 'move', functionId: id('a'), from: hosts('h1'), to: hosts('h4') } as const;
    expect(told(planRelocation(snapshot, problem, goal))).toEqual(['1: 1 f-a h1 > h4']);
    expect(planRelocation(snapshot, problem, { ...goal, units: ['other'] }).moves).toEqual([]);
  });
});
