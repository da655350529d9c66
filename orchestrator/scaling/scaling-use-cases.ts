import {
  IotmanoError,
  toTimestamp,
  type Clock,
  type TenantId,
  type VnfInstanceId,
} from '../../kernel/index.ts';
import {
  checkScalingPolicy,
  hasErrors,
  type ScalingAspect,
  type WrittenPolicy,
} from '../../descriptors/index.ts';
import type { ScalingAspectDocument } from '../domain/index.ts';
import { packageOf, type Lifecycle } from '../lifecycle/index.ts';
import { mergePatch } from '../api/route.ts';
import type { StateStore, StoredRecord } from '../store/index.ts';
import { scalingAspectId } from './aspect-id.ts';
import { policyInForce } from './watched-aspect.ts';

/** What may be changed of an aspect. `null` takes back what was set. */
export interface AspectModifications {
  /** Merged into the policy in force; one of another `type` takes its place. `null`: the descriptor's own again. */
  readonly policy?: WrittenPolicy | null;
  /** `null` releases, also what was scaled by hand. */
  readonly hold?: { readonly until?: string } | null;
}

/** An aspect of a function, and what has been set for it. */
export interface FoundAspect {
  readonly record: StoredRecord<'vnf-instance'>;
  readonly aspect: ScalingAspect;
  readonly document: ScalingAspectDocument | undefined;
}

/** What an operator sees and sets of scaling. A foreign or unknown id is `not-found`. */
export interface ScalingUseCases {
  /** Of all functions of the tenant, in order of id. */
  list(tenant: TenantId): Iterable<FoundAspect>;
  get(tenant: TenantId, vnfInstanceId: string, aspectId: string): FoundAspect;
  /** @throws IotmanoError `invalid-descriptor` with the faults of a policy, `conflict` for a function that covers hosts */
  modify(
    tenant: TenantId,
    vnfInstanceId: string,
    aspectId: string,
    changes: AspectModifications,
  ): FoundAspect;
}

export function createScalingUseCases(
  store: StateStore,
  { catalog }: Lifecycle['context'],
  clock: Clock,
): ScalingUseCases {
  function* aspectsOf(record: StoredRecord<'vnf-instance'>): Generator<FoundAspect> {
    const { descriptor } = packageOf(catalog, record.document.vnfPkgId);
    for (const aspect of descriptor.scaling) {
      const id = scalingAspectId(record.id as VnfInstanceId, aspect.aspect);
      yield { record, aspect, document: store.get('scaling-aspect', id)?.document };
    }
  }

  function get(tenant: TenantId, vnfInstanceId: string, aspectId: string): FoundAspect {
    const record = store.get('vnf-instance', vnfInstanceId);
    if (record?.tenant !== tenant)
      throw new IotmanoError('not-found', `there is no VNF instance ${vnfInstanceId}`, { vnfInstanceId });
    const aspects = [...aspectsOf(record)];
    const found = aspects.find(({ aspect }) => aspect.aspect === aspectId);
    if (found !== undefined) return found;
    const names = aspects.map(({ aspect }) => aspect.aspect).join(', ');
    throw new IotmanoError(
      'not-found',
      `${record.document.name} has no scaling aspect "${aspectId.slice(0, 80)}"; it has: ${names || 'none'}`,
    );
  }

  return {
    get,
    *list(tenant) {
      for (const record of store.list('vnf-instance')) if (record.tenant === tenant) yield* aspectsOf(record);
    },
    modify: (tenant, vnfInstanceId, aspectId, changes) => {
      const found = get(tenant, vnfInstanceId, aspectId);
      const document = modified(found, changes, packageOf(catalog, found.record.document.vnfPkgId), clock);
      const id = scalingAspectId(found.record.id as VnfInstanceId, aspectId);
      store.commit([{ op: 'put', kind: 'scaling-aspect', id, tenant, document }]);
      return { ...found, document };
    },
  };
}

function modified(
  { record, aspect, document = {} }: FoundAspect,
  { policy, hold }: AspectModifications,
  { descriptor }: ReturnType<typeof packageOf>,
  clock: Clock,
): ScalingAspectDocument {
  if (record.document.coverage !== undefined)
    throw new IotmanoError(
      'conflict',
      `${record.document.name} runs once on each host that it covers: it is not scaled`,
    );
  const { policy: _policy, hold: _hold, ...rest } = document;
  const kept = {
    policy:
      policy === undefined ? document.policy : policy === null ? undefined : merged(document, aspect, policy),
    hold: hold === undefined ? document.hold : hold === null ? undefined : holdFrom(hold, clock),
  };
  if (policy !== undefined && kept.policy !== undefined) requireValid(kept.policy, { descriptor, aspect });
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
  aspect: ScalingAspect,
  changes: WrittenPolicy,
): WrittenPolicy {
  const before = policyInForce(aspect, document);
  const isAnother = changes['type'] !== undefined && changes['type'] !== before?.['type'];
  return mergePatch(isAnother ? {} : before, changes) as WrittenPolicy;
}

function requireValid(
  policy: WrittenPolicy,
  within: NonNullable<Parameters<typeof checkScalingPolicy>[2]>,
): void {
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
