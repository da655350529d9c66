import type { components } from '../../api-specs/generated/iotmano.ts';
import { IotmanoError, type HostId, type VnfInstanceId } from '../../kernel/index.ts';
import { parseExpression } from '../../descriptors/index.ts';
import { isInstallationTenant, type Caller } from '../domain/index.ts';
import type { DisruptionBudget, RelocationGoal } from '../placement/index.ts';
import type { LifecycleContext } from './context.ts';
import { packageOf } from './function-catalog.ts';

/** Body of POST /iotmano/v1/placement_plans. */
export type RelocationRequest = components['schemas']['PlacementPlanRequest'];

/** What is moved by one plan where nobody says how much may be. */
const DEFAULT_MOST_INSTANCES = 100;

/** What each kind has to be told, and what it may be. */
const MEMBERS = {
  move: { needs: ['vnfInstanceId'], takes: ['vnfInstanceId', 'vduIds', 'fromHostIds', 'toHostIds'] },
  drain: { needs: ['hostIds'], takes: ['hostIds'] },
  evacuate: { needs: ['zone', 'expression'], takes: ['zone', 'expression'] },
  rebalance: { needs: [], takes: [] },
  consolidate: { needs: [], takes: [] },
} as const satisfies Record<RelocationGoal['kind'], Record<'needs' | 'takes', readonly string[]>>;

export function budgetOf({ budget = {} }: RelocationRequest): DisruptionBudget {
  return { maxInstances: DEFAULT_MOST_INSTANCES, ...budget };
}

/**
 * What is to be reached, checked against what there is and what the caller may.
 * @throws IotmanoError `unprocessable`, `forbidden` or `not-found`
 */
export function goalOf(
  context: LifecycleContext,
  caller: Caller,
  request: RelocationRequest,
): RelocationGoal {
  const { kind } = request;
  requireMembers(request);
  switch (kind) {
    case 'move':
      return moveOf(context, caller, request);
    case 'rebalance':
      return { kind };
    case 'consolidate':
      requireStaff(caller, kind);
      return { kind };
    case 'drain':
      requireStaff(caller, kind);
      return { kind, hosts: hostsOf(context, caller, 'hostIds', request.hostIds ?? []) };
    case 'evacuate':
      requireStaff(caller, kind);
      return { kind, expression: expressionOf(request) };
  }
}

/** One of what the kind needs, and nothing that says nothing to it. */
function requireMembers({ kind, budget: _budget, ...members }: RelocationRequest): void {
  const given = Object.keys(members);
  const { needs, takes }: Record<'needs' | 'takes', readonly string[]> = MEMBERS[kind];
  const strange = given.find((name) => !takes.includes(name));
  if (strange !== undefined)
    throw new IotmanoError(
      'unprocessable',
      `${strange} says nothing to a plan of kind ${kind}, which takes: ${[...takes, 'budget'].join(', ')}; leave it out`,
    );
  if (needs.length > 0 && needs.filter((name) => given.includes(name)).length !== 1)
    throw new IotmanoError('unprocessable', `a plan of kind ${kind} needs one of: ${needs.join(', ')}`);
}

/** A plan over whole hosts moves what is of all tenants. */
function requireStaff({ tenant }: Caller, kind: string): void {
  if (isInstallationTenant(tenant)) return;
  throw new IotmanoError(
    'forbidden',
    `${kind} moves what all tenants have on hosts; tenant ${tenant} may move its own functions (kind move, or rebalance)`,
  );
}

function moveOf(
  context: LifecycleContext,
  caller: Caller,
  { vnfInstanceId = '', vduIds, fromHostIds, toHostIds }: RelocationRequest,
): RelocationGoal {
  const record = context.state.get('vnf-instance', vnfInstanceId);
  if (record === undefined || record.tenant !== caller.tenant)
    throw new IotmanoError('not-found', `there is no VNF instance ${vnfInstanceId}`, { vnfInstanceId });
  const { units } = packageOf(context.catalog, record.document.vnfPkgId).descriptor;
  const unknown = vduIds?.find((id) => units.every(({ name }) => name !== id));
  if (unknown !== undefined)
    throw new IotmanoError(
      'unprocessable',
      `vduIds: ${record.document.name} has no VDU ${unknown}; it has: ${units.map(({ name }) => name).join(', ')}`,
    );
  return {
    kind: 'move',
    functionId: vnfInstanceId as VnfInstanceId,
    ...(vduIds === undefined ? {} : { units: vduIds }),
    ...(fromHostIds === undefined ? {} : { from: hostsOf(context, caller, 'fromHostIds', fromHostIds) }),
    ...(toHostIds === undefined ? {} : { to: hostsOf(context, caller, 'toHostIds', toHostIds) }),
  };
}

/** @throws IotmanoError `unprocessable` for hosts that there are not, or that do not serve the caller */
export function hostsOf(
  { state }: Pick<LifecycleContext, 'state'>,
  { tenant }: Pick<Caller, 'tenant'>,
  member: string,
  hostIds: readonly string[],
): readonly HostId[] {
  for (const hostId of hostIds) {
    const host = state.get('host', hostId)?.document;
    const isSeen =
      host !== undefined &&
      (isInstallationTenant(tenant) || host.tenants.length === 0 || host.tenants.includes(tenant));
    if (!isSeen)
      throw new IotmanoError(
        'unprocessable',
        `${member}: there is no host ${hostId}; see GET /iotmano/v1/hosts (iotmano hosts)`,
      );
  }
  return hostIds as readonly HostId[];
}

function expressionOf({ zone, expression = `zone = "${zone ?? ''}"` }: RelocationRequest): string {
  const [fault] = parseExpression(expression).faults;
  if (fault !== undefined)
    throw new IotmanoError('unprocessable', `expression: ${fault.message}; ${fault.remedy}`);
  return expression;
}
