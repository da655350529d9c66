import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { wantedVnfcs } from '../orchestrator/domain/index.ts';
import type { StateStore } from '../orchestrator/store/index.ts';
import { renderReport } from './render-report.ts';
import type { Sample } from './report.ts';
import { runSimulation } from './run-simulation.ts';
import { parseScenario } from './scenario/parse-scenario.ts';
import { scaleScenario, type Scale } from './scenario/scale-scenario.ts';
import type { Scenario } from './scenario/types.ts';

const SCENARIOS = new URL('scenarios/', import.meta.url);

const SMALL = `apiVersion: iotmano/v1
kind: Simulation
name: small
seed: 3
duration: 40m
sampleEvery: 5m
hosts:
  - name: gw
    count: 24
    tier: device-edge
    cpu: '1'
    memory: 512Mi
    zones: 3
    costPerHour: 0.5
    labels: { kind: { indoor: 1, outdoor: 1 } }
    availability: { betweenFailures: 4h, repair: 3m, kind: power }
  - { name: edge, count: 4, tier: cloud-edge, cpu: '2', memory: 1Gi, zones: 3 }
functions:
  - { name: air, file: functions/air-quality.yaml }
  - { name: metering, file: functions/metering.yaml }
  - { name: display, file: functions/public-display.yaml }
events:
  - { type: deploy, function: air, coverage: group = gw, perZone: true }
  - { type: deploy, at: 1m, function: metering }
  - { type: scale, at: 5m, function: metering, to: 30 }
  - { type: scale, at: 20m, function: metering, to: 2 }
  - { type: burst, at: 10m, for: 5m, function: display, count: 10, stays: 8m }
  - { type: fail, at: 12m, hosts: group = edge, share: 0.25, for: 5m, kind: network }
  - { type: drain, at: 25m, every: 2m, times: 4, inTurn: true, hosts: group = gw, for: 90s }
  - { type: terminate, at: 38m, function: metering }
`;

function scenarioOf(text: string): Scenario {
  const { scenario, faults } = parseScenario(text, {
    file: 'test.yaml',
    readFile: (path) => readFileSync(new URL(path, SCENARIOS), 'utf8'),
  });
  if (scenario === undefined) throw new RangeError(JSON.stringify(faults));
  return scenario;
}

/** What the scenario's own counts have to agree with: the store's. */
function expectConserved(sample: Sample, store: StateStore): void {
  const copies = [...store.list('vnf-instance')].flatMap(({ document: { wanted, reservation = [] } }) =>
    wantedVnfcs(wanted.length > 0 ? wanted : reservation),
  );
  expect(sample.placed + sample.unplaced).toBe(sample.wanted);
  expect(sample.placed + sample.surplus).toBe(copies.length);
  expect(sample.running).toBeLessThanOrEqual(sample.placed);
  expect(sample.cpu.max).toBeLessThanOrEqual(1);
  expect(sample.memory.max).toBeLessThanOrEqual(1);
}

async function play(scenario: Scenario) {
  const seen: number[] = [];
  const { report } = await runSimulation(scenario, {
    readMilliseconds: () => performance.now(),
    onSample: (sample, store) => {
      seen.push(sample.atSeconds);
      expectConserved(sample, store);
    },
  });
  expect(seen).toHaveLength(report.samples.length);
  return report;
}

describe('a simulation', () => {
  it('keeps count of every copy, overfills no host, and says the same each time', async () => {
    const first = await play(scenarioOf(SMALL));
    const second = await play(scenarioOf(SMALL));
    expect(renderReport(second)).toBe(renderReport(first));
    expect(JSON.stringify(second)).toBe(JSON.stringify(first));
    expect(first.samples.map(({ atSeconds }) => atSeconds)).toEqual([
      300, 600, 900, 1200, 1500, 1800, 2100, 2400,
    ]);
    // More steps than the edge has room for: 16 of 30 find a host at most.
    expect(first.totals.peakUnplaced).toBeGreaterThan(0);
    expect(first.totals.retries).toBeGreaterThan(0);
    expect(first.totals.toPlace.count).toBeGreaterThan(24);
    expect(first.totals.cost).toBeGreaterThan(0);
    expect(first.totals.disruptions['restarted: power failure']).toBeGreaterThan(0);
    expect(first.samples.at(-1)?.unplaced).toBe(0);
  });

  it('differs with the seed', async () => {
    const scenario = scaleScenario(scenarioOf(SMALL), { hosts: 1, load: 1, durationSeconds: 900 });
    const [one, other] = [await play(scenario), await play({ ...scenario, seed: 4 })];
    expect(JSON.stringify({ ...other, seed: 3 })).not.toBe(JSON.stringify(one));
  });

  it('moves what may move from a host that is silent for too long, and empties hosts that are drained', async () => {
    const text = SMALL.slice(0, SMALL.indexOf('events:'));
    const report = await play(
      scenarioOf(`${text.replace(/ {4}availability.*\n/, '')}events:
  - { type: deploy, function: metering }
  - { type: fail, at: 5m, hosts: group = edge, share: 0.25, for: 10m, kind: network }
  - { type: drain, at: 20m, hosts: group = edge and zone = z002 }
`),
    );
    expect(report.totals.disruptions['moved: host lost']).toBeGreaterThan(0);
    expect(report.totals.disruptions['evicted: host drained']).toBeGreaterThan(0);
    // Lost after 15 s of silence, at the next look, and the start of the new copy.
    expect(report.totals.toRecover.p99Seconds).toBeGreaterThan(15);
    expect(report.totals.toRecover.p99Seconds).toBeLessThan(40);
    expect(report.samples.at(-1)).toMatchObject({ wanted: 4, running: 4, unplaced: 0 });
  });
});

describe('services in a simulation', () => {
  const SERVICES = `apiVersion: iotmano/v1
kind: Simulation
name: services
seed: 5
duration: 60m
sampleEvery: 5m
retryEvery: 5m
hosts:
  - { name: cabinet, count: 6, tier: cloud-edge, cpu: '2', memory: 2Gi, zones: 2 }
functions:
  - { name: broker, file: functions/event-broker.yaml }
  - { name: archive, file: functions/event-archive.yaml }
  - { name: analytics, file: functions/event-analytics.yaml }
services:
  - { name: events, file: services/events.yaml }
events:
`;

  it('come up as a whole, move from a host that is lost, and leave nothing when they go', async () => {
    const report = await play(
      scenarioOf(`${SERVICES}  - { type: deployService, service: events, count: 2 }
  - { type: fail, at: 10m, hosts: zone = z001, share: 0.34, for: 10m }
  - { type: burstService, at: 20m, for: 5m, service: events, count: 3, stays: 3m }
  - { type: terminateService, at: 50m, service: events, count: 2 }
`),
    );
    // A broker, an archive and a pair of analytics each.
    expect(report.samples[0]).toMatchObject({ wanted: 8, placed: 8, running: 8 });
    expect(report.totals.services).toMatchObject({ asked: 5, instantiated: 0, terminated: 5 });
    expect(report.totals.services.toTerminate.count).toBe(5);
    expect(report.samples.at(-1)).toMatchObject({ wanted: 0, placed: 0, surplus: 0, hostsInUse: 0 });
    expect(renderReport(report)).toContain('5 asked for; 0 instantiated at the end, 5 terminated');
  });

  it('that find no room wait, and come up when others have gone', async () => {
    const report = await play(
      scenarioOf(`${SERVICES}  - { type: deployService, service: events, count: 12 }
  - { type: terminateService, at: 20m, service: events, count: 6 }
`),
    );
    // Twelve cores, and 1.35 of them for each.
    expect(report.samples[0]?.unplaced).toBeGreaterThan(0);
    expect(report.totals.retries).toBeGreaterThan(0);
    expect(report.totals.services).toMatchObject({ asked: 12, instantiated: 6, terminated: 6 });
    expect(report.samples.at(-1)).toMatchObject({ wanted: 24, running: 24, unplaced: 0 });
  });
});

describe('a scenario that ships', () => {
  const SCALES: Readonly<Record<string, Scale>> = {
    'smart-city': { hosts: 0.01, load: 0.02, durationSeconds: 4 * 3600 },
    'metering-burst': { hosts: 0.02, load: 1 },
    'holiday-traffic': { hosts: 0.1, load: 0.02, durationSeconds: 30_000 },
    'public-events': { hosts: 0.1, load: 0.03, durationSeconds: 6 * 3600 },
  };

  it.each(Object.entries(SCALES))('%s plays at a small scale', async (name, scale) => {
    const text = readFileSync(new URL(`${name}.yaml`, SCENARIOS), 'utf8');
    const report = await play(scaleScenario(scenarioOf(text), scale));
    expect(report.samples.some(({ running }) => running > 0)).toBe(true);
    expect(report.totals.toPlace.count).toBeGreaterThan(0);
  });
});
