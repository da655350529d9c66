import type { HostId, VnfInstanceId, VnfcInstanceId } from '../../kernel/index.ts';
import { instanceName, type ScheduleReport, type WorkloadKey } from '../../vim-drivers/index.ts';
import { packageIdAt, vnfcInstanceId, wantedVnfcs, type VimType, type VnfcState } from '../domain/index.ts';
import { vimTypeOf } from '../inventory/index.ts';
import type { StoredRecord } from '../store/index.ts';
import { activeOperation, convergenceOf } from './active-operation.ts';
import { findCopy } from './assess-convergence.ts';
import type { LifecycleContext } from './context.ts';
import { packageOf } from './function-catalog.ts';
import { judgeHost } from './liveness.ts';

/** One copy of one unit as the orchestrator knows it: wanted, or still there. */
export interface VnfcView {
  readonly id: VnfcInstanceId;
  /** Name of the instance on its host. */
  readonly resource: string;
  /** Function, unit and slot, for people. */
  readonly name: string;
  readonly vnfInstanceId: VnfInstanceId;
  readonly function: string;
  readonly service?: string;
  readonly unit: string;
  readonly generation: number;
  /** Of the version that it is made of. */
  readonly softwareVersion: string;
  readonly slot: number;
  readonly epoch: number;
  readonly hostId: HostId;
  /** What drives it there: a VIM of that type, or an agent. */
  readonly vimType: VimType | 'agent';
  /** As its host last reported; LOST while the host is silent beyond the function's patience. */
  readonly state: VnfcState;
  readonly since?: string;
  readonly restarts: number;
  readonly reason?: string;
  readonly exitCode?: number;
  readonly ports: Readonly<Record<string, number>>;
  readonly endpoints: readonly string[];
  /** Of a function that runs by a schedule: how its runs went on that host, with all copies there. */
  readonly schedule?: ScheduleReport;
  /** It is to go: no longer wanted, and still reported. */
  readonly isLeftover: boolean;
}

/** All copies of a function: what is wanted, in order of unit and slot, then what is still there. */
export function viewVnfcs(
  context: LifecycleContext,
  record: StoredRecord<'vnf-instance'>,
): readonly VnfcView[] {
  const { id, tenant, document } = record;
  const key = { tenant, vnfInstanceId: id as VnfInstanceId };
  const observed = context.index.observedOf(key.vnfInstanceId).map((item) => item.document);
  const { descriptor } = packageOf(context.catalog, document.vnfPkgId);
  const isLost = (hostId: HostId) => judgeHost(context.state, context.liveness, descriptor, hostId).isLost;
  const wanted = wantedVnfcs(document.wanted);
  const views = wanted.map((copy) => {
    const found = findCopy(observed, copy);
    return toView(context, record, { ...key, unit: copy.unit, generation: copy.generation }, copy.hostId, {
      slot: copy.slot,
      epoch: copy.epoch,
      state: isLost(copy.hostId) ? 'LOST' : 'PENDING',
      restarts: 0,
      ports: {},
      ...(found?.document.workload.problem === undefined ? {} : { reason: found.document.workload.problem }),
      ...found?.instance,
      ...(isLost(copy.hostId) ? { state: 'LOST', reason: 'the host is not heard from' } : {}),
      ...(found?.document.workload.schedule === undefined
        ? {}
        : { schedule: found.document.workload.schedule }),
      isLeftover: false,
    });
  });
  const names = new Set(views.map((view) => view.id));
  const leftovers = observed.flatMap(({ hostId, workload }) =>
    workload.instances
      .filter(({ slot }) => !names.has(vnfcInstanceId(hostId, workload.key, slot)))
      .map((instance) =>
        toView(context, record, workload.key, hostId, {
          ...instance,
          ...(isLost(hostId) ? { state: 'LOST' as const } : {}),
          isLeftover: true,
        }),
      ),
  );
  return [...views, ...leftovers];
}

type Seen = Pick<
  VnfcView,
  | 'slot'
  | 'epoch'
  | 'state'
  | 'since'
  | 'restarts'
  | 'reason'
  | 'exitCode'
  | 'ports'
  | 'schedule'
  | 'isLeftover'
>;

function toView(
  { state, catalog }: LifecycleContext,
  { document }: StoredRecord<'vnf-instance'>,
  key: WorkloadKey,
  hostId: HostId,
  seen: Seen,
): VnfcView {
  const address = state.get('host-facts', hostId)?.document.address;
  const { nsInstanceId } = document;
  const service =
    nsInstanceId === undefined ? undefined : state.get('ns-instance', nsInstanceId)?.document.name;
  return {
    id: vnfcInstanceId(hostId, key, seen.slot),
    resource: instanceName(key, seen.slot),
    name: `${document.constituent ?? document.name}-${key.unit}-${seen.slot}`,
    vnfInstanceId: key.vnfInstanceId,
    function: document.constituent ?? document.name,
    ...(service === undefined ? {} : { service }),
    unit: key.unit,
    generation: key.generation,
    softwareVersion: packageOf(catalog, packageIdAt(document, key.generation)).descriptor.metadata
      .softwareVersion,
    hostId,
    vimType: vimTypeOf(state, hostId),
    slot: seen.slot,
    epoch: seen.epoch,
    state: seen.state,
    ...(seen.since === undefined ? {} : { since: seen.since }),
    restarts: seen.restarts,
    ...(seen.reason === undefined ? {} : { reason: seen.reason }),
    ...(seen.exitCode === undefined ? {} : { exitCode: seen.exitCode }),
    ports: seen.ports,
    endpoints:
      address === undefined
        ? []
        : Object.entries(seen.ports).map(([name, port]) => `${name}=${address}:${port}`),
    ...(seen.schedule === undefined ? {} : { schedule: seen.schedule }),
    isLeftover: seen.isLeftover,
  };
}

/** How far an operation is; undefined once it is over. */
export interface OperationProgress {
  readonly wanted: number;
  readonly ready: number;
  readonly waitingFor?: string;
}

export function operationProgress(context: LifecycleContext, id: string): OperationProgress | undefined {
  const operation = context.state.get('vnf-lcm-op-occ', id);
  const active =
    operation === undefined ? undefined : activeOperation(context, operation.document.vnfInstanceId);
  if (active === undefined || active.operation.id !== id) return undefined;
  const { document } = active.instance;
  const { reached, pending } = convergenceOf(context, active.vnfInstanceId, document);
  return {
    wanted: wantedVnfcs(document.wanted).length,
    ready: reached,
    ...(pending.length === 0 ? {} : { waitingFor: pending.slice(0, 5).join('; ') }),
  };
}
