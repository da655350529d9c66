import type { Scenario, ScenarioEvent } from './types.ts';

export interface Scale {
  /** Times the hosts of each group. */
  readonly hosts: number;
  /** Times the function instances that events deploy or take away; not of coverage, which goes with the hosts. */
  readonly load: number;
  readonly seed?: number;
  readonly durationSeconds?: number;
}

/**
 * The scenario for more or fewer hosts and function instances; of each at least one. A larger fleet has more zones, not larger ones;
 * a smaller one has as many as before, so that what happens to a zone still does.
 */
export function scaleScenario(scenario: Scenario, { hosts, load, seed, durationSeconds }: Scale): Scenario {
  return {
    ...scenario,
    seed: seed ?? scenario.seed,
    durationSeconds: durationSeconds ?? scenario.durationSeconds,
    hosts: scenario.hosts.map((group) => ({
      ...group,
      count: scaled(group.count, hosts),
      zones: group.zones === 1 ? 1 : scaled(group.zones, Math.max(1, hosts)),
    })),
    events: scenario.events.map((event) => scaleEvent(event, load)),
  };
}

function scaleEvent(event: ScenarioEvent, load: number): ScenarioEvent {
  if (!('count' in event)) return event;
  return event.type === 'deploy' && (event.coverage !== undefined || event.perZone)
    ? event
    : { ...event, count: scaled(event.count, load) };
}

function scaled(count: number, factor: number): number {
  return Math.max(1, Math.round(count * factor));
}
