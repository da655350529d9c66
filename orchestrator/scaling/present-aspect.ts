import { toTimestamp, type VnfInstanceId } from '../../kernel/index.ts';
import { buildScalingPolicy } from '../../descriptors/index.ts';
import type { components } from '../../api-specs/generated/iotmano.ts';
import { countsOfWanted, scaleLevel } from '../lifecycle/index.ts';
import { scalingAspectId } from './aspect-id.ts';
import { holdOf, type Hold, type ManualScaling } from './holds.ts';
import type { AspectState } from './policies/index.ts';
import type { FoundAspect } from './scaling-use-cases.ts';
import { policyInForce, type WatchedAspect } from './watched-aspect.ts';

type Shown = components['schemas']['ScalingAspect'];

/** What the loop knows besides the records. */
export interface AspectsInMind {
  watchedOf(vnfInstanceId: VnfInstanceId): readonly WatchedAspect[];
  latestByHand(aspectId: string): ManualScaling | undefined;
  now(): number;
}

/** An aspect as the API shows it. */
export function presentAspect(found: FoundAspect, inMind: AspectsInMind): Shown {
  const { record, aspect, document } = found;
  const policy = policyInForce(aspect, document);
  const hold = holdIn(found, inMind);
  const watched = watchedIn(found, inMind);
  const changes = (watched?.state ?? (document?.state as AspectState | undefined))?.changes ?? [];
  return {
    vnfInstanceId: record.id,
    vnfInstanceName: record.document.name,
    aspectId: aspect.aspect,
    level: scaleLevel(aspect, countsOfWanted(record.document.wanted)),
    minLevel: aspect.min,
    maxLevel: aspect.max,
    ...(policy === undefined ? {} : { policy: { ...policy } }),
    policySource: document?.policy !== undefined ? 'operator' : policy === undefined ? 'none' : 'descriptor',
    ...(hold === undefined ? {} : { hold }),
    ...(watched?.last === undefined ? {} : { lastLook: presentLook(watched.last) }),
    changes: changes.map(({ at, from, to }) => ({ time: toTimestamp(at), from, to })),
  };
}

/** With what its policy remembers. */
export function presentWhole(found: FoundAspect, inMind: AspectsInMind): Shown {
  const state = watchedIn(found, inMind)?.state ?? found.document?.state;
  return { ...presentAspect(found, inMind), ...(state === undefined ? {} : { state: { ...state } }) };
}

function presentLook({
  at,
  level,
  evaluation,
}: NonNullable<WatchedAspect['last']>): NonNullable<Shown['lastLook']> {
  return {
    time: toTimestamp(at),
    level,
    nextLevel: evaluation.level,
    wishedLevel: evaluation.wished,
    reasons: [...evaluation.reasons],
    figures: { ...evaluation.figures },
  };
}

/** A hold without a policy holds nothing. */
function holdIn({ record, aspect, document = {} }: FoundAspect, inMind: AspectsInMind): Hold | undefined {
  const policy = policyInForce(aspect, document);
  if (policy === undefined) return undefined;
  const manual = inMind.latestByHand(scalingAspectId(record.id as VnfInstanceId, aspect.aspect));
  return holdOf(document, manual, buildScalingPolicy(policy).holdSeconds, inMind.now());
}

function watchedIn({ record, aspect }: FoundAspect, inMind: AspectsInMind): WatchedAspect | undefined {
  const all = inMind.watchedOf(record.id as VnfInstanceId);
  return all.find((one) => one.aspect.aspect === aspect.aspect);
}
