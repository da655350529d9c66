import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { POLICY_DEFAULTS } from './build-scaling-policy.ts';
import {
  SCHEMAS,
  buildScalingPolicy,
  checkScalingPolicy,
  lastTime,
  nextTime,
  parseAlarmCondition,
  parseDescriptor,
  readScalingPolicy,
} from './index.ts';

interface Schema {
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
}

const { oneOf: branches } = (SCHEMAS.common as { $defs: { scalingPolicy: { oneOf: readonly Schema[] } } })
  .$defs.scalingPolicy;

/** Defaults below a schema, those of objects as objects. */
function defaultsIn({ properties = {} }: Schema): Readonly<Record<string, unknown>> {
  const found = Object.entries(properties).flatMap(([name, schema]): [string, unknown][] => {
    if (schema.properties !== undefined) return [[name, defaultsIn(schema)]];
    return schema.default === undefined || Array.isArray(schema.default) ? [] : [[name, schema.default]];
  });
  return Object.fromEntries(found);
}

const scalingExample = parseDescriptor(
  readFileSync(new URL('examples/valid/scaling-policies.yaml', import.meta.url), 'utf8'),
  { file: 'scaling-policies.yaml' },
).descriptor;

describe('a scaling policy', () => {
  it('has the defaults that its schema tells', () => {
    expect(Object.assign({}, ...branches.map(defaultsIn))).toEqual(POLICY_DEFAULTS);
  });

  it('is read into seconds, with its further indicators', () => {
    const policy = buildScalingPolicy({
      type: 'target',
      indicator: 'a',
      target: 5,
      also: [{ indicator: 'b', target: 2 }],
      window: '1m',
      cooldown: { out: '500ms' },
    });
    expect(policy).toEqual({
      type: 'target',
      targets: [
        { indicator: 'a', target: 5 },
        { indicator: 'b', target: 2 },
      ],
      tolerance: 0.1,
      stabilizationSeconds: 60,
      windowSeconds: 60,
      staleAfterSeconds: 30,
      cooldown: { outSeconds: 0.5, inSeconds: 60 },
      calm: { turns: 4, withinSeconds: 600 },
      holdSeconds: 3600,
    });
  });

  it('is as valid in a descriptor as alone, for each type of the example', () => {
    if (scalingExample?.kind !== 'IoTFunctionDescriptor') throw new RangeError('the example has faults');
    const { scaling } = scalingExample;
    expect(scaling.map(({ policy }) => policy?.['type'])).toEqual([
      'threshold',
      'target',
      'schedule',
      'predictive',
      'learning',
    ]);
    for (const aspect of scaling)
      expect(checkScalingPolicy(aspect.policy, 'policy', { descriptor: scalingExample, aspect })).toEqual([]);
  });

  it.each([
    [{ type: 'targt', indicator: 'a', target: 1 }, 'schema/discriminator', '/type'],
    [{ type: 'target', indicator: 'a' }, 'schema/required', ''],
    [{ type: 'target', indicator: 'a', target: 0 }, 'schema/exclusiveMinimum', '/target'],
    [{ type: 'target', indicator: 'a', target: 1, up: 2 }, 'schema/additionalProperties', '/up'],
    [{ type: 'threshold', indicator: 'a', up: 1, down: 1 }, 'limits-cross', '/down'],
    [{ type: 'schedule', times: [{ at: '61 * * * *', level: 1 }] }, 'invalid-schedule', '/times/0/at'],
    [{ type: 'schedule', times: [{ at: '@daily', level: 1 }] }, 'invalid-schedule', '/times/0/at'],
    [{ type: 'predictive', indicator: 'a', target: 1, step: '10ms' }, 'pace-out-of-range', '/step'],
    ['much', 'schema/type', ''],
  ])('%j is refused by %s at %j', (policy, rule, pointer) => {
    expect(checkScalingPolicy(policy, 'policy')).toContainEqual(expect.objectContaining({ rule, pointer }));
  });

  it('in a file is refused with line and column', () => {
    const { policy, faults } = readScalingPolicy('type: target\nindicator: a\ntarget: none\n', 'p.yaml');
    expect(policy).toBeUndefined();
    expect(faults).toMatchObject([{ rule: 'schema/type', file: 'p.yaml', line: 3, column: 9 }]);
  });
});

describe('times of a schedule', () => {
  const at = (time: string) => Date.parse(time);

  it('come in their time zone, and the one that is now has come', () => {
    const pattern = '0 7 * * 1-5';
    expect(nextTime(pattern, 'Europe/Paris', at('2026-03-27T06:00:00Z'))).toBe(at('2026-03-30T05:00:00Z'));
    expect(lastTime(pattern, 'Europe/Paris', at('2026-03-27T06:00:00.4Z'))).toBe(at('2026-03-27T06:00:00Z'));
    expect(lastTime(pattern, 'Europe/Paris', at('2026-03-27T05:59:59.9Z'))).toBe(at('2026-03-26T06:00:00Z'));
  });
});

describe('the condition of an alarm', () => {
  it('is an indicator, a comparison, a bound, and for how long', () => {
    expect(parseAlarmCondition('queue_depth > 500 for 30s')).toEqual({
      indicator: 'queue_depth',
      comparison: '>',
      bound: 500,
      forSeconds: 30,
    });
    expect(parseAlarmCondition('t<=-1.5')).toMatchObject({ comparison: '<=', bound: -1.5, forSeconds: 0 });
    expect(parseAlarmCondition('queue_depth over 500')).toBeUndefined();
  });
});
