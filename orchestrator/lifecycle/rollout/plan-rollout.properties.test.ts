import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostId } from '../../../kernel/index.ts';
import { copyName, type RolloutPolicy, type WantedVnfc } from '../../domain/index.ts';
import { failedGate, isRolledOut, planRollout } from './plan-rollout.ts';
import type { RolloutCopy, RolloutInput } from './rollout-types.ts';

const OLD = 1;
const FRESH = 2;

interface Running {
  readonly copy: WantedVnfc;
  /** Looks until it is well. */
  starts: number;
  /** Looks until everybody has forgotten it, once it is withheld. */
  forgets: number;
  isWithheld: boolean;
}

const policyArbitrary = fc
  .record({
    strategy: fc.constantFrom('rolling' as const, 'recreate' as const),
    maxUnavailable: fc.integer({ min: 0, max: 3 }),
    maxSurge: fc.integer({ min: 0, max: 3 }),
  })
  .filter(({ maxUnavailable, maxSurge }) => maxUnavailable + maxSurge > 0)
  .map((policy): RolloutPolicy => ({ ...policy, healthyForSeconds: 0, autoRollback: true }));

function copyOf(generation: number, slot: number): WantedVnfc {
  return { unit: 'main', generation, hostId: `h${slot}` as HostId, slot, epoch: 1 };
}

/** A world in which what is wanted starts and is forgotten after some looks. */
class World {
  running: Running[];
  leaving: WantedVnfc[] = [];
  gone: WantedVnfc[] = [];
  slots: number;
  readonly policy: RolloutPolicy;
  readonly count: number;
  readonly delays: () => number;

  constructor(policy: RolloutPolicy, count: number, delays: () => number) {
    this.policy = policy;
    this.count = count;
    this.delays = delays;
    this.running = Array.from({ length: count }, (_, slot) => this.start(copyOf(OLD, slot), 0));
    this.slots = count;
  }

  start(copy: WantedVnfc, starts: number): Running {
    return { copy, starts, forgets: this.delays(), isWithheld: false };
  }

  input(): RolloutInput {
    return {
      policy: this.policy,
      counts: { main: this.count },
      leaving: this.leaving,
      gone: this.gone,
      copies: this.running.map(({ copy, starts, forgets, isWithheld }): RolloutCopy => ({
        copy,
        isOld: copy.generation === OLD,
        health: starts > 0 ? 'waiting' : 'well',
        isOverdue: false,
        isWithheld,
        isForgotten: isWithheld && forgets <= 0,
        isOnDraining: false,
      })),
    };
  }

  step(): void {
    const { stop, displace, withheld, counts } = planRollout(this.input());
    const ending = new Set([...stop, ...displace].map(copyName));
    const hidden = new Set(withheld.map(copyName));
    this.running = this.running.filter(({ copy }) => !ending.has(copyName(copy)));
    for (const each of this.running) each.isWithheld = hidden.has(copyName(each.copy));
    this.leaving.push(...displace);
    const fresh = this.running.filter(({ copy }) => copy.generation === FRESH).length;
    for (let more = (counts['main'] ?? fresh) - fresh; more > 0; more -= 1) {
      const place = this.gone.shift() ?? copyOf(FRESH, (this.slots += 1));
      this.running.push(this.start({ ...place, generation: FRESH }, this.delays()));
    }
  }

  pass(): void {
    for (const each of this.running) {
      each.starts -= 1;
      if (each.isWithheld) each.forgets -= 1;
    }
    this.gone.push(...this.leaving.splice(0, 1));
  }
}

/** What is wrong with a world at any moment, by its policy. */
function faultOf({ policy, running, leaving, count }: World): string | undefined {
  const generations = new Set(running.map(({ copy }) => copy.generation));
  if (policy.strategy === 'recreate') {
    if (generations.size > 1) return 'both versions at once';
    return leaving.length > 0 && generations.has(FRESH)
      ? 'the new version before the old one has gone'
      : undefined;
  }
  if (running.length > count + policy.maxSurge) return 'beyond the surge';
  return servingIn(running) < count - policy.maxUnavailable ? 'too many missing' : undefined;
}

function servingIn(running: readonly Running[]): number {
  return running.filter(({ starts, isWithheld }) => starts <= 0 && !isWithheld).length;
}

describe('planRollout', () => {
  it('ends with the new version whole, never beyond the surge and never below what may be missing', () => {
    fc.assert(
      fc.property(
        policyArbitrary,
        fc.integer({ min: 1, max: 6 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
        (policy, count, stream) => {
          const world = new World(policy, count, () => Number(stream.next().value));
          for (let look = 0; look < 400 && !isRolledOut(world.input()); look += 1) {
            world.step();
            expect(faultOf(world)).toBeUndefined();
            world.pass();
          }
          expect(world.running.map(({ copy }) => copy.generation)).toEqual(
            Array.from({ length: count }, () => FRESH),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('wants nothing further once it is over', () => {
    const input: RolloutInput = {
      policy: {
        strategy: 'rolling',
        maxUnavailable: 0,
        maxSurge: 1,
        healthyForSeconds: 0,
        autoRollback: true,
      },
      counts: { main: 1 },
      copies: [
        {
          copy: copyOf(FRESH, 0),
          isOld: false,
          health: 'well',
          isOverdue: false,
          isWithheld: false,
          isForgotten: false,
          isOnDraining: false,
        },
      ],
      leaving: [],
      gone: [],
    };
    expect(planRollout(input)).toEqual({ stop: [], displace: [], withheld: [], counts: { main: 1 } });
    expect(isRolledOut(input)).toBe(true);
  });
});

describe('failedGate', () => {
  const sick = (isOld: boolean, health: RolloutCopy['health'], isOverdue: boolean): RolloutCopy => ({
    copy: copyOf(isOld ? OLD : FRESH, 0),
    isOld,
    health,
    isOverdue,
    isWithheld: false,
    isForgotten: false,
    isOnDraining: false,
    reason: 'exited with code 1',
  });

  it('is about the new version only: given up by its host, or not well for too long', () => {
    expect(
      failedGate({ copies: [sick(true, 'failed', true), sick(false, 'waiting', false)] }),
    ).toBeUndefined();
    expect(failedGate({ copies: [sick(false, 'failed', false)] })).toBe(
      'main-0 on h0 was given up: exited with code 1',
    );
    expect(failedGate({ copies: [sick(false, 'waiting', true)] })).toBe(
      'main-0 on h0 does not get well: exited with code 1',
    );
  });
});
