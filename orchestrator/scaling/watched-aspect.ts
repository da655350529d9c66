import type { VnfInstanceId } from '../../kernel/index.ts';
import {
  buildScalingPolicy,
  type IoTFunctionDescriptor,
  type ScalingAspect,
  type ScalingPolicy,
  type WrittenPolicy,
} from '../../descriptors/index.ts';
import { isSameJson, type ScalingAspectDocument } from '../domain/index.ts';
import type { AspectState, Evaluation } from './policies/index.ts';

/** One aspect of one function, as the loop keeps it in mind. What is worth keeping longer is saved now and then. */
export interface WatchedAspect {
  readonly vnfInstanceId: VnfInstanceId;
  readonly aspect: ScalingAspect;
  readonly written: WrittenPolicy;
  readonly policy: ScalingPolicy;
  state: AspectState | undefined;
  /** What the last look found, and when: milliseconds since the Unix epoch. */
  last: { readonly at: number; readonly level: number; readonly evaluation: Evaluation } | undefined;
  /** Of the clock that never goes back, milliseconds. */
  lookedAt: number;
  savedAt: number;
  isUnsaved: boolean;
  /** Steps that had no place are not tried again before then. */
  triedInVain: { readonly times: number; readonly notBefore: number } | undefined;
  /** Whether it has been looked at, and nothing that it wishes waits for a place. */
  isSettled: boolean;
}

/** The policy of an aspect, as written: an operator's own, or the descriptor's. */
export function policyInForce(
  aspect: ScalingAspect,
  document: ScalingAspectDocument | undefined,
): WrittenPolicy | undefined {
  return document?.policy ?? aspect.policy;
}

/**
 * The aspects of a function that have a policy.
 * @param known what was kept in mind of them: kept where the policy is still the same
 */
export function watchAspects(
  vnfInstanceId: VnfInstanceId,
  { scaling }: IoTFunctionDescriptor,
  documentOf: (aspect: string) => ScalingAspectDocument | undefined,
  known: readonly WatchedAspect[],
): readonly WatchedAspect[] {
  return scaling.flatMap((aspect) => {
    const document = documentOf(aspect.aspect);
    const written = policyInForce(aspect, document);
    if (written === undefined) return [];
    const before = known.find((one) => one.aspect.aspect === aspect.aspect);
    if (before !== undefined && isSameJson([before.aspect, before.written], [aspect, written]))
      return [before];
    return [
      {
        vnfInstanceId,
        aspect,
        written,
        policy: buildScalingPolicy(written),
        state:
          before === undefined
            ? (document?.state as AspectState | undefined)
            : stateAfterChange(before.state),
        last: before?.last,
        lookedAt: -Infinity,
        savedAt: before?.savedAt ?? -Infinity,
        isUnsaved: before?.isUnsaved ?? false,
        triedInVain: undefined,
        isSettled: false,
      },
    ];
  });
}

/** What was found out under another policy holds no more, but for what is learnt; that steps were taken does. */
function stateAfterChange(state: AspectState | undefined): AspectState | undefined {
  if (state === undefined || state.type === 'learning') return state;
  const { policy: _policy, ...rest } = state;
  return rest;
}
