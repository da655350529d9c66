import type { StateStore, Write } from '../orchestrator/store/index.ts';
import { createLedger } from './measures/ledger.ts';
import { createStopwatch } from './measures/stopwatch.ts';
import { createRecorder } from './recorder.ts';
import type { Sample, SimulationReport, Timings } from './report.ts';
import type { Scenario } from './scenario/types.ts';
import { direct } from './world/director.ts';
import { createFleet, enrolmentWrites, type Fleet } from './world/fleet.ts';
import { createOperator, type Operator } from './world/operator.ts';
import { createOrchestrator, type Orchestrator } from './world/orchestrator.ts';
import { createPower } from './world/power.ts';
import { createServiceOperator, type ServiceOperator } from './world/service-operator.ts';
import { createSites } from './world/sites.ts';
import { createTimeline, type Timeline } from './world/timeline.ts';

export interface RunOptions {
  /** Real time: for the timings alone. */
  readonly readMilliseconds: () => number;
  /** Told each sample as it is taken, with the store as it is then. */
  readonly onSample?: (sample: Sample, store: StateStore) => void;
}

const START = Date.UTC(2030, 0, 1);
const HOSTS_PER_COMMIT = 500;

/** Plays a scenario in virtual time, as fast as the machine allows. */
export async function runSimulation(
  scenario: Scenario,
  { readMilliseconds, onSample = () => {} }: RunOptions,
): Promise<{ readonly report: SimulationReport; readonly timings: Timings }> {
  const began = readMilliseconds();
  const endMilliseconds = scenario.durationSeconds * 1000;
  const timeline = createTimeline(endMilliseconds, START);
  const fleet = createFleet(scenario.hosts, scenario.seed);
  const power = createPower(timeline);
  const stopwatch = createStopwatch(readMilliseconds);
  const orchestrator = createOrchestrator({
    timeline,
    power,
    lookEveryMilliseconds: scenario.lookEverySeconds * 1000,
    aroundInventory: (inventory) => stopwatch.around(inventory),
  });
  const { store, lifecycle, inventory } = orchestrator;
  const ledger = createLedger();
  const recorder = createRecorder({ store, lifecycle, fleet, power, ledger });
  // The first heartbeat of a host that is back.
  power.listen({ down: () => {}, up: (hostId) => inventory.renewLease(hostId) });
  const sites = createSites({ store, timeline, fleet, power });
  const retryMilliseconds = scenario.retryEverySeconds * 1000;
  const operator = createOperator({ store, lifecycle, timeline, fleet, ledger, retryMilliseconds });

  const serviceOperator = createServiceOperator({
    store,
    services: orchestrator.services,
    timeline,
    fleet,
    ledger,
    retryMilliseconds,
  });
  const operators = [operator, serviceOperator];

  await enrol(store, fleet, timeline.now());
  operator.onboard(scenario.functions);
  serviceOperator.onboard(scenario.services);
  direct(scenario, { timeline, fleet, power, operator, services: serviceOperator, store, inventory });
  orchestrator.start();

  const samples: Sample[] = [];
  const plan = sampleTimes(scenario);
  for (const seconds of plan) timeline.at(seconds * 1000, () => {});
  let next = 0;
  for (let time = timeline.nextMilliseconds; time !== undefined; time = timeline.nextMilliseconds) {
    recorder.pass(time - timeline.elapsedMilliseconds);
    timeline.step();
    await settle(orchestrator, timeline, operators);
    if (time !== Math.ceil((plan[next] ?? 0) * 1000)) continue;
    next += 1;
    const sample = recorder.sample(time / 1000);
    samples.push(sample);
    onSample(sample, store);
  }
  await sites.close();
  await orchestrator.stop();
  const { name, seed, durationSeconds } = scenario;
  const totals = recorder.totals({
    retries: operator.refusals + serviceOperator.refusals,
    services: serviceOperator.score,
  });
  return {
    report: { scenario: name, seed, durationSeconds, hosts: fleet.hosts.length, samples, totals },
    timings: {
      plans: stopwatch.plans,
      planningSeconds: stopwatch.milliseconds / 1000,
      wallSeconds: (readMilliseconds() - began) / 1000,
    },
  };
}

async function enrol(store: StateStore, fleet: Fleet, now: number): Promise<void> {
  for (let start = 0; start < fleet.hosts.length; start += HOSTS_PER_COMMIT) {
    const writes: Write[] = fleet.hosts
      .slice(start, start + HOSTS_PER_COMMIT)
      .flatMap((host) => enrolmentWrites(host, now));
    store.commit(writes);
  }
  await store.whenDurable();
}

/** Seconds since the start; the end is among them. */
function sampleTimes({ sampleEverySeconds, durationSeconds }: Scenario): readonly number[] {
  const count = Math.floor(durationSeconds / sampleEverySeconds);
  const times = Array.from({ length: count }, (_, at) => (at + 1) * sampleEverySeconds);
  return times.at(-1) === durationSeconds ? times : [...times, durationSeconds];
}

/** Lets everybody do all that can be done at this moment. */
async function settle(
  { store, lifecycle, services }: Orchestrator,
  timeline: Timeline,
  operators: readonly (Operator | ServiceOperator)[],
): Promise<void> {
  for (;;) {
    await turn();
    const before = store.acceptedRevision;
    const isDone = lifecycle.engine.settle();
    services.engine.lookAtAll();
    const hasAsked = operators.map((operator) => operator.attend()).includes(true);
    const hasActed = timeline.catchUp();
    if (isDone && !hasAsked && !hasActed && store.acceptedRevision === before) return;
  }
}

/** Every promise that can settle has done so after it. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
