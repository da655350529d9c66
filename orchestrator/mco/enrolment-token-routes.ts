import type { components } from '../../api-specs/generated/iotmano.ts';
import {
  OPERATORS,
  bodyOf,
  listResponse,
  type ApiRequest,
  type ApiResponse,
  type Route,
} from '../api/route.ts';
import type { EnrolmentTokenRequest, Inventory } from '../inventory/index.ts';
import type { StoredRecord } from '../store/index.ts';
import { requireInstallationStaff } from './host-routes.ts';

type EnrolmentTokenView = components['schemas']['EnrolmentToken'];

const PATH = '/iotmano/v1/enrolment_tokens';

/** One-time tokens with which hosts enrol: created (and shown once), listed, withdrawn. */
export function enrolmentTokenRoutes(inventory: Inventory): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATH,
      access: OPERATORS,
      body: 'none',
      handle: async (request) => {
        requireInstallationStaff(request.caller);
        return listResponse(request, inventory.tokens.list(), view);
      },
    },
    {
      method: 'POST',
      path: PATH,
      access: OPERATORS,
      body: 'json',
      handle: async (request) => create(inventory, request),
    },
    {
      method: 'DELETE',
      path: `${PATH}/{enrolmentTokenId}`,
      access: OPERATORS,
      body: 'none',
      handle: async (request) => {
        requireInstallationStaff(request.caller);
        inventory.tokens.delete(request.params['enrolmentTokenId'] ?? '');
        return { status: 204 };
      },
    },
  ];
}

function create(inventory: Inventory, request: ApiRequest): ApiResponse {
  requireInstallationStaff(request.caller);
  const { record, token } = inventory.tokens.create(bodyOf<EnrolmentTokenRequest>(request));
  return {
    status: 201,
    headers: { Location: `${request.origin}${PATH}/${record.id}` },
    body: { ...view(record), token },
  };
}

function view({ id, document }: StoredRecord<'enrolment-token'>): EnrolmentTokenView {
  const { hostId, tenants, createdAt, expiresAt, usedBy } = document;
  return {
    id,
    tenants,
    createdAt,
    expiresAt,
    ...(hostId === undefined ? {} : { hostId }),
    ...(usedBy === undefined ? {} : { usedBy }),
  };
}
