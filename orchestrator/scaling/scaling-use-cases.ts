import { IotmanoError, toTimestamp, type Clock, type TenantId } from '../../kernel/index.ts';
import {
  checkScalingPolicy,
  hasErrors,
  type PolicyScope,
  type WrittenPolicy,
} from '../../descriptors/index.ts';
import type { ScalingAspectDocument } from '../domain/index.ts';
import { mergePatch } from '../api/route.ts';
import type { StateStore } from '../store/index.ts';
import { scalingAspectId } from './aspect-id.ts';
import type { Scaled, ScaledAspect } from './scaled.ts';
import { scaledFunction } from './scaled-functions.ts';
import { scaledService, type ScaledServicesContext } from './scaled-services.ts';
import { policyInForce } from './watched-aspect.ts';

/** What may be changed of an aspect. `null` takes back what was set. */
export interface AspectModifications {
  /** Merged into the policy in force; one of another `type` takes its place. `null`: the descriptor's own again. */
  readonly policy?: WrittenPolicy | null;
  /** `null` releases, also what was scaled by hand. */
  readonly hold?: { readonly until?: string } | null;
}

/** An aspect of a function or of a service, and what has been set for it. */
export interface FoundAspect {
  readonly scaled: Scaled;
  readonly aspect: ScaledAspect;
  readonly document: ScalingAspectDocument | undefined;
}

/** What an operator sees and sets of scaling. A foreign or unknown id is `not-found`. */
export interface ScalingUseCases {
  /** Of all functions and services of the tenant, each in order of id. */
  list(tenant: TenantId): Iterable<FoundAspect>;
  get(tenant: TenantId, kind: Scaled['kind'], id: string, aspectId: string): FoundAspect;
  /** @throws IotmanoError `invalid-descriptor` with the faults of a policy, `conflict` for a function that covers hosts */
  modify(
    tenant: TenantId,
    kind: Scaled['kind'],
    id: string,
    aspectId: string,
    changes: AspectModifications,
  ): FoundAspect;
}

const KINDS = {
  function: { name: 'VNF instance', record: 'vnf-instance', find: scaledFunction },
  service: { name: 'NS instance', record: 'ns-instance', find: scaledService },
} as const;

export function createScalingUseCases(
  context: ScaledServicesContext & { readonly store: StateStore; readonly clock: Clock },
): ScalingUseCases {
  const { store, clock } = context;

  function* aspectsOf(scaled: Scaled): Generator<FoundAspect> {
    for (const aspect of scaled.aspects) {
      const id = scalingAspectId(scaled.id, aspect.aspect);
      yield { scaled, aspect, document: store.get('scaling-aspect', id)?.document };
    }
  }

  function get(tenant: TenantId, kind: Scaled['kind'], id: string, aspectId: string): FoundAspect {
    const { name, find } = KINDS[kind];
    const scaled = find(context, id);
    if (scaled?.tenant !== tenant) throw new IotmanoError('not-found', `there is no ${name} ${id}`, { id });
    const aspects = [...aspectsOf(scaled)];
    const found = aspects.find(({ aspect }) => aspect.aspect === aspectId);
    if (found !== undefined) return found;
    const names = aspects.map(({ aspect }) => aspect.aspect).join(', ');
    throw new IotmanoError(
      'not-found',
      `${scaled.name} has no scaling aspect "${aspectId.slice(0, 80)}"; it has: ${names || 'none'}`,
    );
  }

  return {
    get,
    *list(tenant) {
      for (const { record, find } of Object.values(KINDS))
        for (const { id, tenant: owner } of store.list(record)) {
          const scaled = owner === tenant ? find(context, id) : undefined;
          if (scaled !== undefined) yield* aspectsOf(scaled);
        }
    },
    modify: (tenant, kind, id, aspectId, changes) => {
      const found = get(tenant, kind, id, aspectId);
      const document = modified(found, changes, clock);
      const recordId = scalingAspectId(found.scaled.id, aspectId);
      store.commit([{ op: 'put', kind: 'scaling-aspect', id: recordId, tenant, document }]);
      return { ...found, document };
    },
  };
}

function modified(
  { scaled, aspect, document = {} }: FoundAspect,
  { policy, hold }: AspectModifications,
  clock: Clock,
): ScalingAspectDocument {
  if (scaled.whyNever !== undefined) throw new IotmanoError('conflict', scaled.whyNever);
  const { policy: _policy, hold: _hold, ...rest } = document;
  const kept = {
    policy:
      policy === undefined ? document.policy : policy === null ? undefined : merged(document, aspect, policy),
    hold: hold === undefined ? document.hold : hold === null ? undefined : holdFrom(hold, clock),
  };
  if (policy !== undefined && kept.policy !== undefined)
    requireValid(kept.policy, scaled.scopeOf(aspect.aspect));
  return {
    ...rest,
    ...(kept.policy === undefined ? {} : { policy: kept.policy }),
    ...(kept.hold === undefined ? {} : { hold: kept.hold }),
    ...(hold === null ? { releasedAt: toTimestamp(clock.now()) } : {}),
  };
}

/** Parts of one policy mean nothing in one of another type. */
function merged(
  document: ScalingAspectDocument,
  aspect: ScaledAspect,
  changes: WrittenPolicy,
): WrittenPolicy {
  const before = policyInForce(aspect, document);
  const isAnother = changes['type'] !== undefined && changes['type'] !== before?.['type'];
  return mergePatch(isAnother ? {} : before, changes) as WrittenPolicy;
}

function requireValid(policy: WrittenPolicy, within: PolicyScope): void {
  const faults = checkScalingPolicy(policy, 'policy', within);
  if (!hasErrors(faults)) return;
  throw new IotmanoError(
    'invalid-descriptor',
    `the scaling policy has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}; mend what faults lists`,
    { faults },
  );
}

function holdFrom(
  { until }: { readonly until?: string },
  clock: Clock,
): NonNullable<ScalingAspectDocument['hold']> {
  const now = clock.now();
  if (until !== undefined && !(Date.parse(until) > now))
    throw new IotmanoError(
      'unprocessable',
      `hold.until ${until} is not in the future; it is ${toTimestamp(now)}`,
      {
        parameter: 'hold.until',
      },
    );
  return {
    since: toTimestamp(now),
    ...(until === undefined ? {} : { until: toTimestamp(Date.parse(until)) }),
  };
}
