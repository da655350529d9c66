import { toTimestamp, type LcmOpOccId } from '../../kernel/index.ts';
import type { ScalingAspectDocument } from '../domain/index.ts';

/** The operation by hand that a hold follows from: of a function, of a service, or of a function for its service. */
export interface ByHand {
  readonly vnfLcmOpOccId?: LcmOpOccId;
  readonly nsLcmOpOccId?: LcmOpOccId;
}

/** The latest scaling of an aspect by hand. */
export interface ManualScaling extends ByHand {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/** Why an aspect stays as it is. Without an operation an operator has set it. */
export interface Hold extends ByHand {
  /** RFC 3339. */
  readonly since: string;
  /** RFC 3339; absent: until it is released. */
  readonly until?: string;
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
  const { at, ...byHand } = manual;
  return { since: toTimestamp(at), until: toTimestamp(until), ...byHand };
}

function endOf(hold: { readonly until?: string } | undefined): number {
  if (hold === undefined) return -Infinity;
  return hold.until === undefined ? Infinity : Date.parse(hold.until);
}

/** The hold in words. */
export function describeHold({ until, vnfLcmOpOccId, nsLcmOpOccId }: Hold): string {
  const by =
    vnfLcmOpOccId === undefined && nsLcmOpOccId === undefined ? 'set by an operator' : 'scaled by hand';
  return `held as ${by} ${until === undefined ? 'until it is released' : `until ${until}`}`;
}
