import { IotmanoError, randomIds, systemClock } from '../../kernel/index.ts';
import {
  DeviceClient,
  planPlay,
  playLoad,
  prepareDevices,
  rateAt,
  readTrace,
  type LoadResult,
  type PlayPlan,
} from '../../load/index.ts';
import { running, type DeclaredCapacity, type RealCse } from '../real-cse/open-real-cse.ts';
import { actByHpa, type Scaled } from './act-by-hpa.ts';
import { breachesOf, instanceSecondsOf, type Sample } from './breaches.ts';
import { HPA, policiesFor, type Aim } from './contenders.ts';
import type { Outcome } from './outcome.ts';

/** What is played, the same for each rule. */
export interface PlayTerms {
  readonly trace: string;
  /** Name of it in figures. */
  readonly name: string;
  /** Seconds of the trace in one second of the play. */
  readonly traceSpeed: number;
  /** How much shorter the periods of the rules are. */
  readonly periodSpeed: number;
  readonly fromSeconds: number;
  /** Of the play, at most. */
  readonly forSeconds: number;
  readonly peakPerSecond: number;
  readonly declared: DeclaredCapacity;
}

/** A play, for whoever draws it. */
export interface Played {
  readonly outcome: Outcome;
  readonly load: LoadResult;
  readonly samples: readonly Sample[];
}

const FUNCTION = 'processing';
const INDICATOR = 'queue_depth';
export const LEVELS = { min: 1, max: 8 };
const DEVICES = 50;
const REGISTERING = 16;
const SEED = 1;
const READ_SHARE = 0.2;
const STEP_SECONDS = 5;
export const LATE_MILLISECONDS = 1000;
const TIMEOUT_MILLISECONDS = 30_000;
const MAX_IN_FLIGHT = 4000;
const LOOK_MILLISECONDS = 100;

/** Requests a second that one instance of that capacity serves. */
export function perInstanceOf({ serviceMilliseconds, concurrency }: DeclaredCapacity): number {
  return (1000 * concurrency) / serviceMilliseconds;
}

/** Plays a trace against one rule: a service of its own, so that nothing is left of the rule before. */
export async function playForReal(cse: RealCse, terms: PlayTerms, policy: string): Promise<Played> {
  const service = `bench-${policy}`;
  await cse.deploy(service, terms.declared);
  const [copy] = await running(cse, service, FUNCTION, 1);
  const scaled: Scaled = {
    service,
    functionName: FUNCTION,
    vnfInstanceId: copy?.vnfInstanceId ?? '',
    aspect: 'load',
    ...LEVELS,
  };
  const played = await play(cse, terms, scaled, policy);
  await cse.remove(service);
  return played;
}

async function play(cse: RealCse, terms: PlayTerms, scaled: Scaled, policy: string): Promise<Played> {
  const plan = planPlay(readTrace(terms.trace, SEED), {
    ...terms,
    speed: terms.traceSpeed,
    devices: DEVICES,
    readShare: READ_SHARE,
    seed: SEED,
  });
  const url = await cse.pointOfAccess(scaled.service);
  const client = new DeviceClient({
    timeoutMilliseconds: TIMEOUT_MILLISECONDS,
    maxConnections: MAX_IN_FLIGHT,
  });
  const ask = client.send.bind(client);
  const devices = {
    count: DEVICES,
    atOnce: REGISTERING,
    cseName: 'cse-in',
    targets: () => [url],
    run: randomIds.uuid(),
  };
  const over = new AbortController();
  try {
    await prepareDevices(ask, devices, systemClock);
    const scaling = await beginScaling(cse, scaled, terms, policy, over.signal);
    const watch = watchCopies(cse, scaled, plan, over.signal);
    // A fault of either is told at the end of the play.
    for (const one of [scaling.ended, watch]) one.catch(() => undefined);
    const load = await playLoad(
      {
        plan,
        terms: { devices: DEVICES, readShare: READ_SHARE, seed: SEED },
        devices,
        lateAfterMilliseconds: LATE_MILLISECONDS,
        maxInFlight: MAX_IN_FLIGHT,
        clock: systemClock,
      },
      () => ask,
    );
    over.abort();
    await scaling.ended;
    const samples = await watch;
    return { outcome: outcomeOf(terms, policy, load, samples), load, samples };
  } finally {
    over.abort();
    client.close();
  }
}

/** @returns what ends when the signal has come */
async function beginScaling(
  cse: RealCse,
  scaled: Scaled,
  { periodSpeed, declared }: PlayTerms,
  policy: string,
  signal: AbortSignal,
): Promise<{ readonly ended: Promise<void> }> {
  const aim: Aim = {
    indicator: INDICATOR,
    full: declared.concurrency,
    speed: periodSpeed,
    stepSeconds: STEP_SECONDS,
  };
  if (policy === HPA) return { ended: actByHpa(cse, scaled, aim, signal) };
  const path = `/iotmano/v1/vnf_instances/${scaled.vnfInstanceId}/scaling_aspects/${scaled.aspect}`;
  const { status, body } = await cse.system.request('PATCH', path, { policy: policiesFor(aim)[policy] });
  if (status !== 200)
    throw new IotmanoError('internal', `the policy was answered with ${status}: ${JSON.stringify(body)}`);
  return { ended: Promise.resolve() };
}

async function watchCopies(
  cse: RealCse,
  { service, functionName }: Scaled,
  plan: PlayPlan,
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const begin = performance.now();
  while (!signal.aborted) {
    const copies = await cse.copiesOf(service, functionName);
    const seconds = (performance.now() - begin) / 1000;
    if (seconds >= plan.seconds) break;
    samples.push({
      seconds,
      demand: rateAt(plan, seconds),
      running: copies.filter(({ state }) => state === 'RUNNING').length,
      present: copies.length,
    });
    await systemClock.sleep(LOOK_MILLISECONDS, signal);
  }
  return samples;
}

function outcomeOf(
  { name, declared }: PlayTerms,
  policy: string,
  { requests }: LoadResult,
  samples: readonly Sample[],
): Outcome {
  const perInstance = perInstanceOf(declared);
  const decided = samples.map((sample) => ({ ...sample, running: sample.present }));
  const steps = { out: 0, in: 0 };
  for (const [index, { running: now }] of samples.entries()) {
    const before = samples[index - 1]?.running ?? now;
    if (now > before) steps.out += 1;
    if (now < before) steps.in += 1;
  }
  return {
    trace: name,
    policy,
    lateShare: (requests.late + requests.failed) / requests.due,
    instanceSeconds: instanceSecondsOf(samples),
    ...breachesOf(samples, perInstance),
    undecidedSeconds: breachesOf(decided, perInstance).longestSeconds,
    steps,
  };
}
