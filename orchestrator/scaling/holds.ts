import { toTimestamp, type LcmOpOccId } from '../../kernel/index.ts';
import type { ScalingAspectDocument } from '../domain/index.ts';

/** The latest scaling of an aspect by hand. */
export interface ManualScaling {
  readonly vnfLcmOpOccId: LcmOpOccId;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/** Why an aspect stays as it is. */
export interface Hold {
  /** RFC 3339. */
  readonly since: string;
  /** RFC 3339; absent: until it is released. */
  readonly until?: string;
  /** The operation by hand that it follows from; absent: an operator has set it. */
  readonly vnfLcmOpOccId?: LcmOpOccId;
}

/**
 * The hold that stands: one that an operator has set, or the one that scaling by hand leaves for `holdSeconds`. What lasts longer counts.
 * Holds have no record of their own where they follow from an operation, so that none is lost and none is left over. Pure.
 */
export function holdOf(
  { hold, releasedAt }: Pick<ScalingAspectDocument, 'hold' | 'releasedAt'>,
  manual: ManualScaling | undefined,
  holdSeconds: number,
  now: number,
): Hold | undefined {
  const set = hold !== undefined && endOf(hold) > now ? hold : undefined;
  const until = manual === undefined ? 0 : manual.at + holdSeconds * 1000;
  const isReleased = manual !== undefined && releasedAt !== undefined && manual.at <= Date.parse(releasedAt);
  if (manual === undefined || isReleased || until <= now || until <= endOf(set)) return set;
  return {
    since: toTimestamp(manual.at),
    until: toTimestamp(until),
    vnfLcmOpOccId: manual.vnfLcmOpOccId,
  };
}

function endOf(hold: { readonly until?: string } | undefined): number {
  if (hold === undefined) return -Infinity;
  return hold.until === undefined ? Infinity : Date.parse(hold.until);
}

/** The hold in words. */
export function describeHold({ until, vnfLcmOpOccId }: Hold): string {
  const by = vnfLcmOpOccId === undefined ? 'set by an operator' : 'scaled by hand';
  return `held as ${by} ${until === undefined ? 'until it is released' : `until ${until}`}`;
}
