import { unreachable, type HostId } from '../../kernel/index.ts';
import { parseExpression } from '../../descriptors/index.ts';
import type { Inventory } from '../../orchestrator/inventory/index.ts';
import type { StateStore } from '../../orchestrator/store/index.ts';
import type { HostChoice, Scenario, ScenarioEvent } from '../scenario/types.ts';
import type { Fleet, FleetHost } from './fleet.ts';
import type { Operator } from './operator.ts';
import type { Power } from './power.ts';
import type { ServiceOperator } from './service-operator.ts';
import { createRandom, type Random } from './random.ts';
import type { Timeline } from './timeline.ts';

export interface Stage {
  readonly timeline: Timeline;
  readonly fleet: Fleet;
  readonly power: Power;
  readonly operator: Operator;
  readonly services: ServiceOperator;
  readonly store: StateStore;
  readonly inventory: Inventory;
}

/** Makes everything in the scenario happen at its time. */
export function direct(scenario: Scenario, stage: Stage): void {
  for (const [at, event] of scenario.events.entries()) {
    const random = createRandom(scenario.seed, `event ${at}`);
    for (let turn = 0; turn < event.times; turn += 1) {
      const seconds = event.atSeconds + turn * event.everySeconds;
      stage.timeline.at(seconds * 1000, () => play(stage, event, turn, random));
    }
  }
  const random = createRandom(scenario.seed, 'availability');
  for (const host of stage.fleet.hosts) failByItself(stage, host, random);
}

function failByItself({ timeline, power }: Stage, { hostId, group }: FleetHost, random: Random): void {
  const { availability } = group;
  if (availability === undefined) return;
  const { betweenFailuresSeconds, repairSeconds, kind } = availability;
  const next = (): void => {
    timeline.after(random.exponential(betweenFailuresSeconds) * 1000, () => {
      const repair = random.exponential(repairSeconds) * 1000;
      power.fail(hostId, kind, repair);
      timeline.after(repair, next);
    });
  };
  next();
}

function play(stage: Stage, event: ScenarioEvent, turn: number, random: Random): void {
  const { operator, services, fleet, power, timeline } = stage;
  switch (event.type) {
    case 'deploy':
      deploy(stage, event);
      return;
    case 'terminate':
      operator.terminateNewest(event.function, event.count);
      return;
    case 'scale':
      operator.scale(event.function, event.aspect, event.to);
      return;
    case 'follow':
      for (const { afterSeconds, steps } of event.curve)
        timeline.after(afterSeconds * 1000, () => operator.scale(event.function, event.aspect, steps));
      return;
    case 'burst': {
      const how = event.level === undefined ? {} : { level: event.level };
      arrive(timeline, event, random, () => {
        const id = operator.deploy(event.function, how);
        return () => operator.terminate(id);
      });
      return;
    }
    case 'deployService':
      for (let each = 0; each < event.count; each += 1) services.deploy(event.service, event.parameters);
      return;
    case 'terminateService':
      services.terminateNewest(event.service, event.count);
      return;
    case 'burstService':
      arrive(timeline, event, random, () => {
        const id = services.deploy(event.service, event.parameters);
        return () => services.terminate(id);
      });
      return;
    case 'fail':
      for (const { hostId } of event.wholeZones
        ? chooseZones(fleet, event, random)
        : choose(fleet, event, random)) {
        const returning = random.next() * event.returnWithinSeconds;
        power.fail(hostId, event.kind, (event.forSeconds + returning) * 1000);
      }
      return;
    case 'return':
      for (const { hostId } of fleet.matching(event.hosts))
        timeline.after(random.next() * event.withinSeconds * 1000, () => {
          power.restore(hostId);
          drain(stage, hostId, false);
        });
      return;
    case 'drain': {
      const hosts = event.inTurn
        ? part(fleet.matching(event.hosts), turn, event.times)
        : choose(fleet, event, random);
      for (const { hostId } of hosts) {
        drain(stage, hostId, true);
        timeline.after(event.forSeconds * 1000, () => drain(stage, hostId, false));
      }
      return;
    }
    default:
      unreachable(event);
  }
}

function deploy(
  { operator, fleet }: Stage,
  { function: name, count, level, coverage, perZone }: Extract<ScenarioEvent, { readonly type: 'deploy' }>,
): void {
  const base = level === undefined ? {} : { level };
  if (!perZone) {
    for (let each = 0; each < count; each += 1)
      operator.deploy(name, { ...base, ...(coverage === undefined ? {} : { coverage }) });
    return;
  }
  for (const zone of fleet.zones) {
    const inZone = withinZone(coverage, zone);
    if (inZone === undefined || fleet.matching(inZone).length === 0) continue;
    for (let each = 0; each < count; each += 1) operator.deploy(name, { ...base, coverage: inZone });
  }
}

function withinZone(coverage: HostChoice | undefined, zone: string): HostChoice | undefined {
  const text = coverage === undefined ? `zone = ${zone}` : `(${coverage.text}) and zone = ${zone}`;
  const { expression } = parseExpression(text);
  return expression === undefined ? undefined : { text, expression };
}

/** @param come lets one come, and says how it goes again */
function arrive(
  timeline: Timeline,
  event: Extract<ScenarioEvent, { readonly type: 'burst' | 'burstService' }>,
  random: Random,
  come: () => () => void,
): void {
  for (let each = 0; each < event.count; each += 1)
    timeline.after(random.next() * event.forSeconds * 1000, () => {
      const go = come();
      timeline.after(random.exponential(event.staysSeconds) * 1000, go);
    });
}

function choose(
  fleet: Fleet,
  { hosts, share }: { readonly hosts: HostChoice; readonly share: number },
  random: Random,
): readonly FleetHost[] {
  const matching = fleet.matching(hosts);
  return share === 1 ? matching : random.pick(matching, Math.round(share * matching.length));
}

function chooseZones(
  fleet: Fleet,
  { hosts, share }: { readonly hosts: HostChoice; readonly share: number },
  random: Random,
): readonly FleetHost[] {
  const matching = fleet.matching(hosts);
  const zones = [...new Set(matching.map(({ zone }) => zone))].toSorted();
  const chosen = new Set(random.pick(zones, Math.max(1, Math.round(share * zones.length))));
  return matching.filter(({ zone }) => chosen.has(zone));
}

/** The hosts whose turn it is, so that after all turns each was in exactly one. */
function part(hosts: readonly FleetHost[], turn: number, turns: number): readonly FleetHost[] {
  return hosts.slice(
    Math.floor((turn * hosts.length) / turns),
    Math.floor(((turn + 1) * hosts.length) / turns),
  );
}

function drain({ store, inventory, operator, services }: Stage, hostId: HostId, draining: boolean): void {
  const host = store.get('host', hostId);
  if (host === undefined || host.document.draining === draining) return;
  inventory.modify(host, { draining });
  operator.setDraining(hostId, draining);
  services.setDraining(hostId, draining);
}
