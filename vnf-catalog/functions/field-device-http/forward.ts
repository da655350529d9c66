import { isTransient, systemClock, type Clock } from '../../../kernel/index.ts';
import {
  OPERATION,
  RESOURCE_TYPE,
  RSC,
  SUBJECT,
  type BrokerLink,
  type RequestPrimitive,
  type ResponsePrimitive,
} from '../../shared/index.ts';

export interface ForwardSettings {
  /** The device gets an answer by then, whatever happens. */
  readonly deadlineMilliseconds: number;
  /** How long one try waits: an instance that was killed with the request never answers. */
  readonly attemptTimeoutMilliseconds: number;
}

const PAUSE_MILLISECONDS = 50;
const LONGEST_ATTEMPT_MILLISECONDS = 8_000;
/** Creating a subscription asks its targets, which may be far and slow. */
const SUBSCRIPTION_ATTEMPT_MILLISECONDS = 12_000;

/**
 * Sends a primitive to request processing, again and again under the same key until it is answered or the deadline has
 * passed. It is applied at most once: the data storage knows the key.
 */
export async function forward(
  link: Pick<BrokerLink, 'request'>,
  primitive: RequestPrimitive,
  settings: ForwardSettings,
  onRetry: () => void,
  clock: Clock = systemClock,
): Promise<ResponsePrimitive> {
  const deadline = clock.monotonic() + settings.deadlineMilliseconds;
  const isSubscription = primitive.op === OPERATION.create && primitive.ty === RESOURCE_TYPE.subscription;
  let patience = isSubscription ? SUBSCRIPTION_ATTEMPT_MILLISECONDS : settings.attemptTimeoutMilliseconds;
  const body = JSON.stringify(primitive);
  for (;;) {
    const left = deadline - clock.monotonic();
    if (left <= 0)
      return {
        rsc: RSC.requestTimeout,
        pc: { 'm2m:dbg': 'no answer within the deadline; try again under the same X-M2M-RI' },
      };
    const started = clock.monotonic();
    try {
      const answer = await link.request(SUBJECT.request, body, {
        timeoutMilliseconds: Math.max(1, Math.min(patience, left)),
      });
      const response = JSON.parse(
        Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength).toString(),
      ) as ResponsePrimitive;
      if (response.retry !== true) return response;
    } catch (error) {
      if (!isTransient(error)) throw error;
      if (clock.monotonic() - started >= patience)
        patience = Math.min(2 * patience, LONGEST_ATTEMPT_MILLISECONDS);
    }
    onRetry();
    await clock.sleep(Math.min(PAUSE_MILLISECONDS, Math.max(0, deadline - clock.monotonic())));
  }
}
