import { IotmanoError, type Clock } from '../kernel/index.ts';
import type { DeviceAnswer, DeviceRequest } from './device-client.ts';
import type { Arrival } from './plan-arrivals.ts';

/** What a device asks with; see `DeviceClient`. */
export type Ask = (target: string, request: DeviceRequest) => Promise<DeviceAnswer>;

export interface DevicesOptions {
  readonly count: number;
  readonly cseName: string;
  /** Where devices ask, at this moment; each goes to one of them. */
  readonly targets: () => readonly string[];
  /** Devices that register, or go, at the same time. */
  readonly atOnce: number;
  /** Begins every X-M2M-RI, so that no two plays share one. */
  readonly run: string;
}

const TYPE = { ae: 2, container: 3, contentInstance: 4 } as const;
/** Values that a container keeps: a play of any length leaves the storage as large as it found it. */
const KEPT_VALUES = 10;
const SUCCESS_OR_THERE = [2001, 4105, 4117];
const GONE = [2002, 4004];
const PREPARE_SECONDS = 60;
const PAUSE_MILLISECONDS = 200;

/** The request that an arrival stands for. @param number of the request in the play */
export function requestOf(arrival: Arrival, number: number, { cseName, run }: DevicesOptions): DeviceRequest {
  const own = { originator: originatorOf(arrival.device), requestId: `${run}-${number}` };
  const path = `/${cseName}/${nameOf(arrival.device)}/values`;
  if (arrival.isRead) return { ...own, method: 'GET', path };
  return {
    ...own,
    method: 'POST',
    path,
    ty: TYPE.contentInstance,
    content: { 'm2m:cin': { con: { number, dueMilliseconds: Math.round(arrival.atMilliseconds) } } },
  };
}

/** The target of a device: always the same as long as there are the same. Undefined: there is none now. */
export function targetOf(device: number, targets: readonly string[]): string | undefined {
  return targets[device % targets.length];
}

/**
 * Registers each device as an AE with a container of its own; what is there already stays.
 * @throws IotmanoError `unavailable` when the CSE has not taken one within a minute, with its last answer
 */
export function prepareDevices(ask: Ask, options: DevicesOptions, clock: Clock): Promise<void> {
  return forEachDevice(options, async (device) => {
    const { cseName } = options;
    const ae = { 'm2m:ae': { rn: nameOf(device), api: 'Niotmano-load', rr: false, srv: ['4'] } };
    const container = { 'm2m:cnt': { rn: 'values', mni: KEPT_VALUES } };
    const creations = [
      { path: `/${cseName}`, ty: TYPE.ae, content: ae },
      { path: `/${cseName}/${nameOf(device)}`, ty: TYPE.container, content: container },
    ];
    for (const [index, creation] of creations.entries()) {
      const request = { method: 'POST', ...creation } as const;
      await untilTaken(ask, options, clock, {
        device,
        request,
        tag: `new-${index}`,
        wanted: SUCCESS_OR_THERE,
      });
    }
  });
}

/** Deletes what `prepareDevices` has registered. @throws as that */
export function removeDevices(ask: Ask, options: DevicesOptions, clock: Clock): Promise<void> {
  return forEachDevice(options, (device) => {
    const request = { method: 'DELETE', path: `/${options.cseName}/${nameOf(device)}` } as const;
    return untilTaken(ask, options, clock, { device, request, tag: 'gone', wanted: GONE });
  });
}

const nameOf = (device: number): string => `load-${device}`;
const originatorOf = (device: number): string => `Cload-${device}`;

async function forEachDevice(
  { count, atOnce }: DevicesOptions,
  work: (device: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const device = next;
      next += 1;
      await work(device);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}

interface Errand {
  readonly device: number;
  readonly request: Pick<DeviceRequest, 'method' | 'path' | 'ty' | 'content'>;
  readonly tag: string;
  /** Response status codes with which it is done. */
  readonly wanted: readonly number[];
}

/** Asks again under the same X-M2M-RI while the trouble is a passing one. */
async function untilTaken(
  ask: Ask,
  { run, targets }: DevicesOptions,
  clock: Clock,
  { device, request, tag, wanted }: Errand,
): Promise<void> {
  const deadline = clock.monotonic() + PREPARE_SECONDS * 1000;
  const own = { originator: originatorOf(device), requestId: `${run}-${tag}-${device}` };
  for (;;) {
    const target = targetOf(device, targets());
    const answer = target === undefined ? undefined : await ask(target, { ...request, ...own });
    if (answer !== undefined && wanted.includes(answer.rsc)) return;
    const isPassing = answer === undefined || answer.rsc === 0 || answer.rsc >= 5000 || answer.rsc === 4008;
    if (!isPassing || clock.monotonic() > deadline) {
      throw new IotmanoError(
        isPassing ? 'unavailable' : 'unprocessable',
        `device ${nameOf(device)}: ${request.method} ${request.path} at ${target ?? 'no target'} gave ${answer?.fault ?? 'nothing'}; is it a oneM2M CSE whose CSEBase has that name, and may C* register AEs there?`,
      );
    }
    await clock.sleep(PAUSE_MILLISECONDS);
  }
}
