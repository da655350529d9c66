import type { HostId } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/iotmano.ts';
import { isInstallationTenant, type Caller } from '../domain/index.ts';
import { countAssignments, isStateConfirmed } from '../inventory/index.ts';
import type { StateStore, StoredRecord } from '../store/index.ts';
import type { Site } from './site.ts';
import type { Sites } from './sites.ts';
import type { SiteInventory, VimCheck, VimHealth } from './vim-health.ts';

type Schemas = components['schemas'];

/** SOL003 VimConnectionInfo, without credentials. How it is reached is for those who own the installation. */
export function viewVim(
  { store, sites }: { readonly store: StateStore; readonly sites: Sites },
  caller: Caller,
  { id, document }: StoredRecord<'vim-connection'>,
): Schemas['VimConnection'] {
  const { vimType, interfaceInfo, credentials, extra, registeredAt } = document;
  const site = sites.siteOf(id);
  const host = store.get('host', id)?.document;
  const isOwner = isInstallationTenant(caller.tenant);
  const health = site?.health ?? { state: 'UNKNOWN', since: registeredAt };
  return {
    vimId: id,
    vimType,
    hostId: id,
    ...(isOwner ? { interfaceInfo: { ...interfaceInfo } } : {}),
    credentials,
    extra: { ...extra },
    registeredAt,
    health: isOwner ? health : withoutReason(health),
    ...inventoryPart(site?.lastInventory),
    stateConfirmed: host === undefined || isStateConfirmed(host, store.stateId),
    assignments: countAssignments(store, id as HostId),
  };
}

export function viewCheck(site: Site, found: VimCheck): Schemas['VimCheck'] {
  const { capabilities } = site;
  return {
    ...found,
    ...(capabilities === undefined ? {} : { driver: { ...capabilities } }),
    ...(found.isReachable ? inventoryPart(site.lastInventory) : {}),
  };
}

function inventoryPart(taken: SiteInventory | undefined): Pick<Schemas['VimConnection'], 'inventory'> {
  if (taken === undefined) return {};
  const { architecture, address, labels, capacity, allocatable, members } = taken.host;
  const inventory = { takenAt: taken.takenAt, architecture, address, labels, capacity, allocatable };
  return { inventory: { ...inventory, ...(members === undefined ? {} : { members }) } };
}

function withoutReason({ state, since }: VimHealth): VimHealth {
  return { state, since };
}
