import { setTimeout as sleep } from 'node:timers/promises';
import { IotmanoError } from '../../kernel/index.ts';
import {
  HPA_DEFAULTS,
  decideByHpa,
  type HpaRule,
  type HpaState,
} from '../../orchestrator/scaling/policies/index.ts';
import type { RealCse } from '../real-cse/open-real-cse.ts';
import { TARGET_SHARE, type Aim } from './contenders.ts';
import { readIndicator, type ToldSeries } from './read-indicator.ts';

/** What is scaled: one aspect of one function of a service. */
export interface Scaled {
  readonly service: string;
  readonly functionName: string;
  readonly vnfInstanceId: string;
  readonly aspect: string;
  readonly min: number;
  readonly max: number;
}

const WINDOW_SECONDS = 10;
const BUSY_MILLISECONDS = 50;

/** The rule of the HPA with each of its periods as much shorter as the trace is played faster. */
export function hpaAt({ indicator, full, speed }: Aim): HpaRule {
  const { scaleOut, syncSeconds, scaleInWindowSeconds } = HPA_DEFAULTS;
  return {
    ...HPA_DEFAULTS,
    indicator,
    target: full * TARGET_SHARE,
    syncSeconds: syncSeconds / speed,
    scaleInWindowSeconds: scaleInWindowSeconds / speed,
    scaleOut: { ...scaleOut, periodSeconds: scaleOut.periodSeconds / speed },
  };
}

/**
 * Scales by the rule of the Kubernetes HPA from outside until it is told to stop: reads the indicator over the API every sync period, and scales
 * as an operator does. For comparison only.
 */
export async function actByHpa(cse: RealCse, scaled: Scaled, aim: Aim, signal: AbortSignal): Promise<void> {
  const rule = hpaAt(aim);
  let state: HpaState | undefined;
  for (let next = performance.now(); !signal.aborted; next += rule.syncSeconds * 1000) {
    const now = Date.now();
    const [level, reading] = [await levelOf(cse, scaled), await readingOf(cse, scaled, aim, now)];
    const readings =
      reading === undefined
        ? []
        : [{ ...reading, indicator: aim.indicator, delta: 1, isComplete: reading.instances === level }];
    const { min, max } = scaled;
    const step = decideByHpa(rule, state, { now, level, min, max, readings });
    state = step.state;
    const until = next + rule.syncSeconds * 1000;
    await scaleTo(cse, scaled, Math.min(Math.max(step.level, min), max), { level, until });
    const rest = until - performance.now();
    if (rest > 0) await sleep(rest, undefined, { signal }).catch(() => undefined);
  }
}

async function levelOf(cse: RealCse, { vnfInstanceId, aspect }: Scaled): Promise<number> {
  const path = `/iotmano/v1/vnf_instances/${vnfInstanceId}/scaling_aspects/${aspect}`;
  return (await cse.system.get<{ level: number }>(path)).level;
}

async function readingOf(
  cse: RealCse,
  { service, functionName, vnfInstanceId }: Scaled,
  { indicator, speed }: Aim,
  now: number,
): Promise<ReturnType<typeof readIndicator>> {
  // Measurements come every second, whatever the speed.
  const from = new Date(now - Math.max(2, WINDOW_SECONDS / speed) * 1000).toISOString();
  const query = new URLSearchParams({ metric: indicator, vnfInstanceId, from });
  const told = await cse.system.get<ToldSeries[]>(`/iotmano/v1/measurements?${query.toString()}`);
  const copies = await cse.copiesOf(service, functionName);
  const running = copies.filter(({ state }) => state === 'RUNNING');
  return readIndicator(told, new Set(running.map(({ id }) => id)));
}

/** While another operation of the function is under way, the wish waits for its turn, until the next sync at most. */
async function scaleTo(
  { system }: RealCse,
  { vnfInstanceId, aspect }: Scaled,
  wished: number,
  { level, until }: { readonly level: number; readonly until: number },
): Promise<void> {
  if (wished === level) return;
  const body = {
    type: wished > level ? 'SCALE_OUT' : 'SCALE_IN',
    aspectId: aspect,
    numberOfSteps: Math.abs(wished - level),
  };
  for (;;) {
    const reply = await system.request('POST', `/vnflcm/v2/vnf_instances/${vnfInstanceId}/scale`, body);
    if (reply.status === 202 || performance.now() > until) return;
    if (reply.status !== 409)
      throw new IotmanoError(
        'internal',
        `scaling was answered with ${reply.status}: ${JSON.stringify(reply.body)}`,
      );
    await sleep(BUSY_MILLISECONDS);
  }
}
