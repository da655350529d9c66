import { toTimestamp } from '../../kernel/index.ts';
import { buildScalingPolicy } from '../../descriptors/index.ts';
import type { components } from '../../api-specs/generated/iotmano.ts';
import type { ScaledId } from './aspect-id.ts';
import { holdOf, type Hold, type ManualScaling } from './holds.ts';
import type { AspectState } from './policies/index.ts';
import type { Scaled, ScaledAspect } from './scaled.ts';
import type { Driver } from './scaling-loop.ts';
import type { FoundAspect } from './scaling-use-cases.ts';
import { policyInForce, type WatchedAspect } from './watched-aspect.ts';

type Shown = components['schemas']['ScalingAspect'];

/** What the loop knows besides the records. */
export interface AspectsInMind {
  watchedOf(id: ScaledId): readonly WatchedAspect[];
  latestByHand(id: ScaledId, aspect: ScaledAspect): ManualScaling | undefined;
  driverOf(scaled: Scaled, aspect: string): Driver | undefined;
  now(): number;
}

/** An aspect as the API shows it. */
export function presentAspect(found: FoundAspect, inMind: AspectsInMind): Shown {
  const { scaled, aspect, document } = found;
  const policy = policyInForce(aspect, document);
  const hold = holdIn(found, inMind);
  const watched = watchedIn(found, inMind);
  const driver = inMind.driverOf(scaled, aspect.aspect);
  const changes = (watched?.state ?? (document?.state as AspectState | undefined))?.changes ?? [];
  return {
    ...(scaled.kind === 'service'
      ? { nsInstanceId: scaled.id, nsInstanceName: scaled.name }
      : { vnfInstanceId: scaled.id, vnfInstanceName: scaled.name }),
    aspectId: aspect.aspect,
    level: scaled.levelOf(aspect.aspect),
    minLevel: aspect.min,
    maxLevel: aspect.max,
    ...(policy === undefined ? {} : { policy: { ...policy } }),
    policySource: document?.policy !== undefined ? 'operator' : policy === undefined ? 'none' : 'descriptor',
    ...(hold === undefined ? {} : { hold: { ...hold } }),
    ...(driver === undefined ? {} : { scaledBy: { ...driver } }),
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
function holdIn({ scaled, aspect, document = {} }: FoundAspect, inMind: AspectsInMind): Hold | undefined {
  const policy = policyInForce(aspect, document);
  if (policy === undefined) return undefined;
  const manual = inMind.latestByHand(scaled.id, aspect);
  return holdOf(document, manual, buildScalingPolicy(policy).holdSeconds, inMind.now());
}

function watchedIn({ scaled, aspect }: FoundAspect, inMind: AspectsInMind): WatchedAspect | undefined {
  const all = inMind.watchedOf(scaled.id);
  return all.find((one) => one.aspect.aspect === aspect.aspect);
}
