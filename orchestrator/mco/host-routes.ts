import type { Clock, HostId, VimId } from '../../kernel/index.ts';
import { IotmanoError, SYSTEM_TENANT } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/iotmano.ts';
import {
  OPERATORS,
  READERS,
  bodyOf,
  etagOf,
  listResponse,
  requireIfMatch,
  type ApiRequest,
  type ApiResponse,
  type Route,
} from '../api/route.ts';
import {
  countAssignments,
  isStateConfirmed,
  isVisible,
  occupancyOf,
  requireVisibleHost,
  vimTypeOf,
  type HostModifications,
  type Inventory,
} from '../inventory/index.ts';
import { availabilityOf, isInstallationAdmin, isInstallationTenant, type Caller } from '../domain/index.ts';
import type { StateStore, StoredRecord } from '../store/index.ts';

type HostView = components['schemas']['Host'];

export interface HostRoutesOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly inventory: Inventory;
}

const PATH = '/iotmano/v1/hosts';

/** What operators see of hosts and do with them. Hosts belong to `system`; a tenant sees those that serve it. */
export function hostRoutes(options: HostRoutesOptions): readonly Route[] {
  const { store } = options;
  return [
    {
      method: 'GET',
      path: PATH,
      access: READERS,
      body: 'none',
      handle: async (request) =>
        listResponse(request, visibleHosts(store, request.caller), (host) => view(options, host)),
    },
    {
      method: 'GET',
      path: `${PATH}/{hostId}`,
      access: READERS,
      body: 'none',
      handle: async (request) => present(options, hostOf(store, request)),
    },
    {
      method: 'PATCH',
      path: `${PATH}/{hostId}`,
      access: OPERATORS,
      body: 'merge-patch',
      handle: async (request) => modify(options, request),
    },
    {
      method: 'DELETE',
      path: `${PATH}/{hostId}`,
      access: OPERATORS,
      body: 'none',
      handle: async (request) => {
        const host = ownHostOf(store, request);
        if (host.document.vimId !== undefined) throw ofVim(host.document.vimId);
        options.inventory.forget(host);
        return { status: 204 };
      },
    },
  ];
}

/** The host of a path. @throws IotmanoError `not-found`, also where the caller may not see it */
export function hostOf(store: StateStore, { params, caller }: ApiRequest): StoredRecord<'host'> {
  // Who owns the installation sees also what serves others only.
  const own = isInstallationAdmin(caller) ? store.get('host', params['hostId'] ?? '') : undefined;
  if (own !== undefined) return own;
  return requireVisibleHost(store, params['hostId'] ?? '', caller.tenant);
}

/** @throws IotmanoError `forbidden` where a tenant would change what serves others, too */
function ownHostOf(store: StateStore, request: ApiRequest): StoredRecord<'host'> {
  const host = hostOf(store, request);
  requireInstallationStaff(request.caller);
  return host;
}

function ofVim(vimId: VimId): IotmanoError {
  return new IotmanoError(
    'conflict',
    `host ${vimId} is there for as long as the VIM connection of that name is; delete /iotmano/v1/vim_connections/${vimId} (iotmano vim rm ${vimId})`,
  );
}

/** @throws IotmanoError `forbidden` */
export function requireInstallationStaff({ tenant }: Caller): void {
  if (isInstallationTenant(tenant)) return;
  throw new IotmanoError(
    'forbidden',
    `hosts belong to the tenant ${SYSTEM_TENANT}; tenant ${tenant} sees those that serve it and changes none`,
  );
}

function modify(options: HostRoutesOptions, request: ApiRequest): ApiResponse {
  const host = ownHostOf(options.store, request);
  requireIfMatch(request, host);
  options.inventory.modify(host, bodyOf<HostModifications>(request));
  return present(options, hostOf(options.store, request));
}

function present(options: HostRoutesOptions, host: StoredRecord<'host'>): ApiResponse {
  return { status: 200, headers: { ETag: etagOf(host) }, body: view(options, host) };
}

function* visibleHosts(store: StateStore, caller: Caller): Iterable<StoredRecord<'host'>> {
  for (const host of store.list('host'))
    if (isInstallationAdmin(caller) || isVisible(host.document, caller.tenant)) yield host;
}

function view({ store, inventory, clock }: HostRoutesOptions, host: StoredRecord<'host'>): HostView {
  const hostId = host.id as HostId;
  const { state, roles, enrolledAt, tenants, draining, disputed, boots, taints, costPerHour } = host.document;
  const { cordoned = false } = host.document;
  const record = store.get('host-facts', hostId)?.document;
  const clockOffsetMilliseconds = inventory.clockOffsetMilliseconds(hostId);
  const { sequence: _sequence, bootId: _bootId, ...facts } = record ?? {};
  return {
    hostId,
    state,
    roles,
    enrolledAt,
    tenants,
    draining,
    cordoned,
    disputed,
    ...(host.document.revokedAt === undefined ? {} : { revokedAt: host.document.revokedAt }),
    boots,
    // Whoever asks about a host that is to be left wants to know when it is.
    ...(draining || cordoned ? { occupancy: { ...occupancyOf(store, hostId) } } : {}),
    ...(taints === undefined ? {} : { taints }),
    ...(costPerHour === undefined ? {} : { costPerHour }),
    availability: Math.round(availabilityOf(host.document, clock.now()) * 1e4) / 1e4,
    vimType: vimTypeOf(store, hostId),
    stateConfirmed: isStateConfirmed(host.document, store.stateId),
    braked: inventory.isBraked(hostId),
    silentSeconds: Math.round(inventory.silentForMilliseconds(hostId)) / 1000,
    ...(clockOffsetMilliseconds === undefined ? {} : { clockOffsetMilliseconds }),
    ...inventory.leaseTerms(hostId),
    assignments: countAssignments(store, hostId),
    allocated: allocatedOn(store, hostId),
    ...openOrder(store, hostId),
    ...(record === undefined ? {} : { facts }),
  };
}

/** The version that its agent is to have, and does not have yet. */
function openOrder(store: StateStore, hostId: HostId): Pick<HostView, 'agentOrder'> {
  const order = store.get('agent-order', hostId)?.document;
  const runs = store.get('host-facts', hostId)?.document.agentUpgrade?.digest;
  if (order === undefined || runs === order.artifact.digest) return {};
  const { agentUpgradeId, version, orderedAt } = order;
  return { agentOrder: { agentUpgradeId, version, orderedAt } };
}

function allocatedOn(store: StateStore, hostId: HostId): { cpuMillis: number; memoryBytes: number } {
  const total = { cpuMillis: 0, memoryBytes: 0 };
  for (const { document } of store.listByPrefix('assignment', `${hostId}.`)) {
    const { instances, spec } = document.workload;
    total.cpuMillis += instances.length * spec.resources.cpuMillis;
    total.memoryBytes += instances.length * spec.resources.memoryBytes;
  }
  return total;
}
