import type { TenantId } from '../../kernel/index.ts';
import { isInstallationAdmin, type Caller, type RecordDocuments, type RecordKind } from '../domain/index.ts';
import type { Change } from '../store/index.ts';

type Summary = Readonly<Record<string, unknown>>;

/** What outsiders may know of a document, by kind. A kind that is not here is never shown: it holds secrets, or is of no use to a person. */
const SUMMARIES: { readonly [Kind in RecordKind]?: (document: RecordDocuments[Kind]) => Summary } = {
  'vnf-package': ({ onboardingState, descriptor }) => ({
    state: onboardingState,
    name: descriptor?.metadata.productName,
  }),
  'ns-descriptor': ({ onboardingState, descriptor }) => ({
    state: onboardingState,
    name: descriptor?.metadata.name,
  }),
  'vnf-instance': ({ instantiationState, name, nsInstanceId, constituent }) => ({
    state: instantiationState,
    name,
    nsInstanceId,
    constituent,
  }),
  'vnf-lcm-op-occ': ({ state, operation, vnfInstanceId, nsLcmOpOccId, error }) => ({
    state,
    operation,
    vnfInstanceId,
    nsLcmOpOccId,
    error: error?.detail,
  }),
  'ns-instance': ({ state, name }) => ({ state, name }),
  'ns-lcm-op-occ': ({ state, operation, nsInstanceId, error }) => ({
    state,
    operation,
    nsInstanceId,
    error: error?.detail,
  }),
  assignment: ({ hostId, workload }) => ({
    hostId,
    vnfInstanceId: workload.key.vnfInstanceId,
    unit: workload.key.unit,
    generation: workload.key.generation,
    instances: workload.instances.length,
  }),
  observed: ({ hostId, workload }) => ({
    hostId,
    vnfInstanceId: workload.key.vnfInstanceId,
    unit: workload.key.unit,
    generation: workload.key.generation,
    state: [...new Set(workload.instances.map(({ state }) => state))].join('+'),
    instances: workload.instances.map(({ slot, state, restarts, reason }) => ({
      slot,
      state,
      restarts,
      ...(reason === undefined ? {} : { reason }),
    })),
    problem: workload.problem,
  }),
  host: ({ state, draining, disputed }) => ({ state, draining, disputed }),
  'agent-upgrade': ({ state, version, wavesDone, error }) => ({
    state,
    version,
    wavesDone,
    error: error?.detail,
  }),
  'vim-connection': ({ vimType }) => ({ vimType }),
  alarm: ({ name, severity, text, source }) => ({ name, state: severity, text, source }),
};

/** One changed record as outsiders see it. */
export interface PublicEvent extends Summary {
  readonly kind: RecordKind;
  readonly id: string;
  readonly revision: number;
  readonly change: 'written' | 'deleted';
}

/** What a caller gets to see of a change: of its own tenant, and the hosts that serve it. */
export function publicEvents(change: Change, caller: Caller): readonly PublicEvent[] {
  return change.entries.flatMap((entry): PublicEvent[] => {
    const summarize = SUMMARIES[entry.kind] as ((document: unknown) => Summary) | undefined;
    if (summarize === undefined || !isVisible(entry, caller)) return [];
    const head = { kind: entry.kind, id: entry.id, revision: change.revision };
    if (entry.record === undefined) return [{ ...head, change: 'deleted' as const }];
    return [{ ...head, change: 'written' as const, ...summarize(entry.record.document) }];
  });
}

function isVisible(entry: Change['entries'][number], caller: Caller): boolean {
  if (entry.tenant === caller.tenant) return true;
  if (entry.kind === 'vim-connection') return isInstallationAdmin(caller);
  if (entry.kind !== 'host') return false;
  return isInstallationAdmin(caller) || servesTenant(entry.record?.document, caller.tenant);
}

function servesTenant(document: unknown, tenant: TenantId): boolean {
  const tenants = (document as RecordDocuments['host'] | undefined)?.tenants;
  return tenants !== undefined && (tenants.length === 0 || tenants.includes(tenant));
}
