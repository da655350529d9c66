import { IotmanoError } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/iotmano.ts';
import {
  ADMINS,
  READERS,
  bodyOf,
  etagOf,
  listResponse,
  requireIfMatch,
  type ApiRequest,
  type ApiResponse,
  type Route,
} from '../api/route.ts';
import { isInstallationAdmin, type Caller, type DiagnosticSwitch } from '../domain/index.ts';
import type { StateStore, StoredRecord } from '../store/index.ts';
import type { DiagnosticsContext } from './context.ts';
import { applySwitches, findSwitches, type SwitchChanges } from './switches.ts';

type Wire = components['schemas'];

const PATH = '/iotmano/v1/diagnostics';

/** The switches of diagnostics, and who has used them. */
export function auditRoutes(context: DiagnosticsContext): readonly Route[] {
  const { store } = context;
  return [
    { method: 'GET', path: PATH, access: READERS, body: 'none', handle: async () => present(store) },
    {
      method: 'PATCH',
      path: PATH,
      access: ADMINS,
      body: 'merge-patch',
      handle: async (request) => modify(context, request),
    },
    {
      method: 'GET',
      path: '/iotmano/v1/audit_entries',
      access: ADMINS,
      body: 'none',
      handle: async (request) => listResponse(request, visibleEntries(store, request.caller), view),
    },
  ];
}

function modify({ store, clock, audit }: DiagnosticsContext, request: ApiRequest): ApiResponse {
  if (!isInstallationAdmin(request.caller))
    throw new IotmanoError(
      'forbidden',
      `diagnostics are switched by admins of the installation, not of the tenant ${request.caller.tenant}; ask one`,
    );
  const before = findSwitches(store);
  if (before !== undefined) requireIfMatch(request, before);
  applySwitches(store, clock, audit, request.caller, bodyOf<SwitchChanges>(request));
  return present(store);
}

function present(store: StateStore): ApiResponse {
  const record = findSwitches(store);
  if (record === undefined) return { status: 200, body: viewSwitches({ isOn: false }, { isOn: false }) };
  const { logs, exec } = record.document;
  return { status: 200, headers: { ETag: etagOf(record) }, body: viewSwitches(logs, exec) };
}

function viewSwitches(logs: DiagnosticSwitch, exec: DiagnosticSwitch): Wire['Diagnostics'] {
  const changed = {
    ...(logs.changed === undefined ? {} : { logs: logs.changed }),
    ...(exec.changed === undefined ? {} : { exec: exec.changed }),
  };
  return { logs: logs.isOn, exec: exec.isOn, changed };
}

function* visibleEntries(store: StateStore, caller: Caller): Iterable<StoredRecord<'audit-entry'>> {
  for (const entry of store.list('audit-entry'))
    if (entry.tenant === caller.tenant || isInstallationAdmin(caller)) yield entry;
}

function view({ id, tenant, document }: StoredRecord<'audit-entry'>): Wire['AuditEntry'] {
  const { at, user, tokenId, role, action, switched, subject = {}, end } = document;
  return {
    id,
    at,
    tenant,
    user,
    ...(tokenId === undefined ? {} : { tokenId }),
    role,
    action,
    ...(switched === undefined ? {} : { switched }),
    ...subject,
    ...(end === undefined ? {} : { end }),
  };
}
