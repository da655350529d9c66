import type { HostId } from '../../kernel/index.ts';
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

/** Makes of the token for one host what that host enrols over NATS with. @param expiresAt RFC 3339 */
export type MakeNatsCredential = (hostId: HostId, token: string, expiresAt: string) => Promise<string>;

/** One-time tokens with which hosts enrol: created (and shown once), listed, withdrawn. */
export function enrolmentTokenRoutes(
  inventory: Inventory,
  natsCredential?: MakeNatsCredential,
): readonly Route[] {
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
      handle: (request) => create(inventory, request, natsCredential),
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

async function create(
  inventory: Inventory,
  request: ApiRequest,
  makeNatsCredential: MakeNatsCredential | undefined,
): Promise<ApiResponse> {
  requireInstallationStaff(request.caller);
  const { record, token } = inventory.tokens.create(bodyOf<EnrolmentTokenRequest>(request));
  const { hostId, expiresAt } = record.document;
  const natsCredential =
    hostId === undefined ? undefined : await makeNatsCredential?.(hostId, token, expiresAt);
  return {
    status: 201,
    headers: { Location: `${request.origin}${PATH}/${record.id}` },
    body: { ...view(record), token, ...(natsCredential === undefined ? {} : { natsCredential }) },
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
