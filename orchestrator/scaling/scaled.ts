import type { LcmOpOccId, TenantId, VnfInstanceId } from '../../kernel/index.ts';
import type { PolicyScope, ScalingPolicy, WrittenPolicy } from '../../descriptors/index.ts';
import type { AutomaticScaling, ScalingOutcome } from '../lifecycle/index.ts';
import type { Write } from '../store/index.ts';
import type { ScaledId } from './aspect-id.ts';
import type { LimitCounts } from './limits.ts';
import type { Reading } from './policies/index.ts';

/** An aspect of a function or of a service: levels from `min` to `max`. */
export interface ScaledAspect {
  readonly aspect: string;
  readonly min: number;
  readonly max: number;
  readonly policy?: WrittenPolicy;
  /** Of a service: constituent → the aspect of its own by which it is scaled. */
  readonly drives?: Readonly<Record<string, string>>;
}

/** What scales, as it is now: a function, or functions of a service together. The loop knows no difference. */
export interface Scaled {
  readonly kind: 'function' | 'service';
  readonly id: ScaledId;
  readonly tenant: TenantId;
  readonly name: string;
  /** Whether there is something to be scaled at all now. */
  readonly isActive: boolean;
  /** Why it is never scaled; undefined: it may be. */
  readonly whyNever?: string;
  /** No operation of it is under way. */
  readonly isFree: boolean;
  readonly aspects: readonly ScaledAspect[];
  /** Functions whose instances tell what its policies look at. */
  readonly functions: readonly VnfInstanceId[];
  levelOf(aspect: string): number;
  /** What is told lately of the indicators that the policy looks at. */
  readingsOf(aspect: string, policy: ScalingPolicy, now: number): readonly Reading[];
  /** How often its instances tell. */
  everySecondsOf(aspect: string): number;
  /** The highest level that so many instances more are enough for. */
  levelWithin(aspect: string, instancesLeft: number): number;
  /** What a policy of the aspect may speak of. */
  scopeOf(aspect: string): PolicyScope;
  /** Starts the same SCALE operation as an operator's. */
  start(
    scaling: AutomaticScaling,
    limits: LimitCounts | undefined,
    alongside: (steps: number) => readonly Write[],
  ): ScalingOutcome;
  /** Why what an operation has scaled is not there; undefined: it is, or nothing is known of it any more. */
  failureOf(operationId: LcmOpOccId): string | undefined;
}
