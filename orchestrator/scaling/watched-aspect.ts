import type { LcmOpOccId } from '../../kernel/index.ts';
import { buildScalingPolicy, type ScalingPolicy, type WrittenPolicy } from '../../descriptors/index.ts';
import { isSameJson, type ScalingAspectDocument } from '../domain/index.ts';
import type { ScaledId } from './aspect-id.ts';
import type { AspectState, Evaluation } from './policies/index.ts';
import type { Scaled, ScaledAspect } from './scaled.ts';

/** One aspect of one function or service, as the loop keeps it in mind. What is worth keeping longer is saved now and then. */
export interface WatchedAspect {
  readonly id: ScaledId;
  readonly aspect: ScaledAspect;
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
  /** The operation that was started last, until it is known what has come of it. */
  started: LcmOpOccId | undefined;
  /** Whether it has been looked at, and nothing that it wishes waits for a place. */
  isSettled: boolean;
}

/** The policy of an aspect, as written: an operator's own, or the descriptor's. */
export function policyInForce(
  aspect: ScaledAspect,
  document: ScalingAspectDocument | undefined,
): WrittenPolicy | undefined {
  return document?.policy ?? aspect.policy;
}

/**
 * The aspects of a function or service that have a policy.
 * @param known what was kept in mind of them: kept where the policy is still the same
 */
export function watchAspects(
  { id, aspects }: Pick<Scaled, 'id' | 'aspects'>,
  documentOf: (aspect: string) => ScalingAspectDocument | undefined,
  known: readonly WatchedAspect[],
): readonly WatchedAspect[] {
  return aspects.flatMap((aspect) => {
    const document = documentOf(aspect.aspect);
    const written = policyInForce(aspect, document);
    if (written === undefined) return [];
    const before = known.find((one) => one.aspect.aspect === aspect.aspect);
    if (before !== undefined && isSameJson([before.aspect, before.written], [aspect, written]))
      return [before];
    return [
      {
        id,
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
        started: before?.started,
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
