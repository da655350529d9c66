import { IotmanoError, randomIds, systemClock, type Clock, type IdSource } from '../kernel/index.ts';
import { RSC, type McaAnswer, type McaClient, type McaRequest } from './shared/index.ts';

export interface DeviceOptions {
  /** Points of access of the gateways, e.g. `http://127.0.0.1:8080`; each device prefers one and goes to the next when it must. */
  readonly gateways: readonly string[];
  readonly signal?: AbortSignal;
  /** How long a device waits for one answer; then it tries again under the same X-M2M-RI. */
  readonly deadlineMs?: number;
  /** AE-ID of the application that may subscribe to the sensors. */
  readonly reader?: string;
  readonly cseName?: string;
  readonly clock?: Clock;
  readonly ids?: IdSource;
}

/** Answers after which the same request is sent again. */
const PASSING: readonly number[] = [RSC.requestTimeout, RSC.internalServerError, RSC.targetNotReachable, 0];

/**
 * Asks, at the preferred gateway first, until there is an answer that is not a passing trouble: always under one request
 * id, so that it is done once. @throws IotmanoError `unavailable` when the signal is aborted before that
 */
export async function untilAnswered(
  client: McaClient,
  request: Omit<McaRequest, 'requestId'>,
  options: DeviceOptions,
  preferred: number,
): Promise<{ answer: McaAnswer; attempts: number }> {
  const { gateways, signal, deadlineMs = 30_000, clock = systemClock, ids = randomIds } = options;
  const requestId = ids.uuid();
  for (let attempts = 1; ; attempts += 1) {
    const gateway = gateways[(preferred + attempts - 1) % gateways.length] ?? '';
    try {
      const answer = await client.request(gateway, { ...request, requestId }, deadlineMs);
      if (!PASSING.includes(answer.rsc)) return { answer, attempts };
    } catch {
      // The gateway is away or was cut off: the next attempt tells.
    }
    await clock.sleep(Math.min(100 * attempts, 1_000), signal);
    if (signal?.aborted === true)
      throw new IotmanoError('unavailable', `${request.path}: stopped before an answer came`);
  }
}

/** For an answer that nobody can go on with. */
export function unexpected(what: string, answer: McaAnswer): IotmanoError {
  const content = JSON.stringify(answer.content).slice(0, 200);
  return new IotmanoError('unprocessable', `${what} was answered with ${answer.rsc}: ${content}`);
}
