import { unreachable } from '../../kernel/index.ts';
import type { VnfLcmOpOccDocument, WantedVnfc } from '../domain/index.ts';
import type { Convergence } from './assess-convergence.ts';

/** What is to be done next for one operation. */
export type NextStep =
  /** Compute what is wanted, and commit it; or refuse. */
  | { readonly type: 'grant' }
  /** Place anew: hosts have fallen away while the operation runs, or have let go of what is to go elsewhere. */
  | { readonly type: 'replan' }
  | { readonly type: 'complete' }
  | { readonly type: 'rolledBack' }
  | { readonly type: 'failTemporarily'; readonly detail: string }
  /** For hosts, or for an operator where it has failed. */
  | { readonly type: 'wait' };

export interface NextStepInput {
  readonly operation: Pick<VnfLcmOpOccDocument, 'operation' | 'state' | 'isCancelPending' | 'cancelMode'>;
  readonly convergence: Convergence;
  /** Copies that can be placed now: their hosts are abandoned, or have let go of them. */
  readonly abandoned: readonly WantedVnfc[];
  /** Nothing has moved for too long. */
  readonly isStalled: boolean;
}

/** The next step of an operation, from what it is and what is observed. Total, and the same after any crash. */
export function planNextStep(input: NextStepInput): NextStep {
  const { state } = input.operation;
  switch (state) {
    case 'STARTING':
      return { type: 'grant' };
    case 'PROCESSING':
      return progress(input, { type: 'complete' });
    case 'ROLLING_BACK':
      return progress(input, { type: 'rolledBack' });
    case 'FAILED_TEMP':
    case 'COMPLETED':
    case 'FAILED':
    case 'ROLLED_BACK':
      return { type: 'wait' };
    default:
      return unreachable(state);
  }
}

function progress({ operation, convergence, abandoned, isStalled }: NextStepInput, done: NextStep): NextStep {
  const { failed } = convergence;
  if (operation.isCancelPending)
    return { type: 'failTemporarily', detail: `cancelled (${operation.cancelMode ?? 'GRACEFUL'})` };
  if (convergence.isReached) return done;
  if (failed.length > 0)
    return {
      type: 'failTemporarily',
      detail: failed
        .map(({ copy, reason }) => `${copy.unit}-${copy.slot} on ${copy.hostId} was given up: ${reason}`)
        .join('; '),
    };
  if (abandoned.length > 0) return { type: 'replan' };
  if (isStalled) return { type: 'failTemporarily', detail: `no progress: ${convergence.pending.join('; ')}` };
  return { type: 'wait' };
}
