import {
  DEFAULT_TENANT,
  IotmanoError,
  toTimestamp,
  type HostId,
  type VnfInstanceId,
} from '../../kernel/index.ts';
import type { IoTFunctionDescriptor } from '../../descriptors/index.ts';
import {
  countsOfLevel,
  countsOfWanted,
  scaleLevel,
  type Lifecycle,
  type UnitCounts,
} from '../../orchestrator/lifecycle/index.ts';
import type { StateStore, StoredRecord } from '../../orchestrator/store/index.ts';
import type { Ledger } from '../measures/ledger.ts';
import type { HostChoice, ScenarioFunction } from '../scenario/types.ts';
import type { Fleet } from './fleet.ts';
import type { Timeline } from './timeline.ts';

/** Who asks the orchestrator for things: level-triggered as well, so that what was refused is asked for again. */
export interface Operator {
  onboard(functions: readonly ScenarioFunction[]): void;
  deploy(name: string, how: { readonly level?: string; readonly coverage?: HostChoice }): VnfInstanceId;
  terminate(id: VnfInstanceId): void;
  /** The newest of a function. */
  terminateNewest(name: string, count: number): void;
  /** All instances of a function, to so many steps of the aspect. */
  scale(name: string, aspect: string, steps: number): void;
  /** A host is being emptied, or used again: those that cover it want one copy less, or more. */
  setDraining(hostId: HostId, isDraining: boolean): void;
  /** Makes the requests that are due. Whether there were any. */
  attend(): boolean;
  /** Requests that were refused, or whose operation found no host, and are made again. */
  readonly refusals: number;
}

export interface OperatorOptions {
  readonly store: StateStore;
  readonly lifecycle: Lifecycle;
  readonly timeline: Timeline;
  readonly fleet: Fleet;
  readonly ledger: Ledger;
  readonly retryMilliseconds: number;
}

interface Deployment {
  readonly id: VnfInstanceId;
  readonly function: ScenarioFunction;
  readonly level?: string;
  readonly coverage?: string;
  /** Copies that are wanted, by unit; with coverage on each host. */
  counts: UnitCounts;
  /** Of an aspect that was scaled. */
  target?: { readonly aspect: string; readonly steps: number };
  coveredHosts: number;
  isEnding: boolean;
  /** A refused request is not made again before then. */
  notBefore: number;
}

export function createOperator(options: OperatorOptions): Operator {
  const { store, lifecycle, timeline, fleet, ledger, retryMilliseconds } = options;
  const functions = new Map<string, ScenarioFunction>();
  const deployments = new Map<VnfInstanceId, Deployment>();
  const coveredBy = new Map<HostId, VnfInstanceId[]>();
  const draining = new Set<HostId>();
  const due = new Set<VnfInstanceId>();
  let refusals = 0;

  store.subscribe(({ entries }) => {
    for (const { kind, id } of entries)
      if (kind === 'vnf-instance' && deployments.has(id as VnfInstanceId)) due.add(id as VnfInstanceId);
  });

  function tell(deployment: Deployment): void {
    const perPlace = Object.values(deployment.counts).reduce((sum, count) => sum + count, 0);
    const isCoverage = deployment.coverage !== undefined;
    const copies = deployment.isEnding ? 0 : perPlace * (isCoverage ? deployment.coveredHosts : 1);
    ledger.setWanted(deployment.id, copies, { isCoverage });
  }

  function changed(deployment: Deployment): void {
    deployment.notBefore = 0;
    tell(deployment);
    due.add(deployment.id);
  }

  function later(deployment: Deployment): void {
    timeline.at(Math.max(deployment.notBefore, timeline.elapsedMilliseconds + 1), () =>
      due.add(deployment.id),
    );
  }

  /** Asks for what differs from what is wanted, unless an operation is under way. */
  function attendTo(deployment: Deployment): void {
    const record = store.get('vnf-instance', deployment.id);
    if (record === undefined) return;
    const { activeOpOcc } = record.document;
    if (activeOpOcc === undefined && isAsWanted(deployment, record)) return;
    if (activeOpOcc !== undefined && !hasFailed(activeOpOcc)) return;
    if (timeline.elapsedMilliseconds < deployment.notBefore) return;
    if (deployment.notBefore > 0) refusals += 1;
    deployment.notBefore = timeline.elapsedMilliseconds + retryMilliseconds;
    later(deployment);
    try {
      if (activeOpOcc === undefined) ask(deployment, record);
      else lifecycle.opOccs.retry(DEFAULT_TENANT, activeOpOcc);
    } catch (error) {
      if (!(error instanceof IotmanoError) || error.status >= 500) throw error;
    }
  }

  function hasFailed(operationId: string): boolean {
    return store.get('vnf-lcm-op-occ', operationId)?.document.state === 'FAILED_TEMP';
  }

  function ask(deployment: Deployment, { document }: StoredRecord<'vnf-instance'>): void {
    const { id, coverage, level, isEnding } = deployment;
    const { vnf } = lifecycle;
    if (document.instantiationState === 'NOT_INSTANTIATED') {
      if (isEnding) {
        vnf.delete(DEFAULT_TENANT, id);
        deployments.delete(id);
        return;
      }
      const flavourId = deployment.function.descriptor.flavours[0]?.name ?? 'default';
      vnf.instantiate(DEFAULT_TENANT, id, {
        flavourId,
        ...(level === undefined ? {} : { instantiationLevelId: level }),
        ...(coverage === undefined ? {} : { additionalParams: { coverage } }),
      });
    } else if (isEnding) {
      vnf.terminate(DEFAULT_TENANT, id, { terminationType: 'GRACEFUL' });
      deployment.notBefore = 0;
    } else {
      const steps = stepsMissing(deployment, document);
      vnf.scale(DEFAULT_TENANT, id, {
        type: steps > 0 ? 'SCALE_OUT' : 'SCALE_IN',
        aspectId: deployment.target?.aspect ?? '',
        numberOfSteps: Math.abs(steps),
      });
    }
  }

  return {
    get refusals() {
      return refusals;
    },
    onboard: (all) => {
      for (const each of all) functions.set(each.name, each);
      store.commit(all.map(({ name, descriptor }) => onboarded(name, descriptor, timeline.now())));
    },
    deploy: (name, { level, coverage }) => {
      const known = functions.get(name);
      if (known === undefined) throw new IotmanoError('internal', `the scenario has no function ${name}`);
      const { descriptor } = known;
      const { id } = lifecycle.vnf.create(DEFAULT_TENANT, { vnfdId: descriptor.metadata.id });
      const covered = coverage === undefined ? [] : fleet.matching(coverage);
      const deployment: Deployment = {
        id: id as VnfInstanceId,
        function: known,
        ...(level === undefined ? {} : { level }),
        ...(coverage === undefined ? {} : { coverage: coverage.text }),
        counts:
          coverage === undefined
            ? countsOfLevel(descriptor, undefined, level).counts
            : Object.fromEntries(descriptor.units.map((unit) => [unit.name, 1])),
        coveredHosts: covered.filter(({ hostId }) => !draining.has(hostId)).length,
        isEnding: false,
        notBefore: 0,
      };
      deployments.set(deployment.id, deployment);
      for (const { hostId } of covered)
        coveredBy.set(hostId, [...(coveredBy.get(hostId) ?? []), deployment.id]);
      changed(deployment);
      return deployment.id;
    },
    terminate: (id) => {
      const deployment = deployments.get(id);
      if (deployment === undefined || deployment.isEnding) return;
      deployment.isEnding = true;
      changed(deployment);
    },
    terminateNewest(name, count) {
      const alive = [...deployments.values()].filter(
        (deployment) => deployment.function.name === name && !deployment.isEnding,
      );
      for (const { id } of alive.slice(-count)) this.terminate(id);
    },
    scale: (name, aspect, steps) => {
      for (const deployment of deployments.values()) {
        if (deployment.function.name !== name || deployment.isEnding) continue;
        deployment.counts = scaledCounts(deployment, aspect, steps);
        deployment.target = { aspect, steps };
        changed(deployment);
      }
    },
    setDraining: (hostId, isDraining) => {
      if (draining.has(hostId) === isDraining) return;
      if (isDraining) draining.add(hostId);
      else draining.delete(hostId);
      for (const id of coveredBy.get(hostId) ?? []) {
        const deployment = deployments.get(id);
        if (deployment === undefined) continue;
        deployment.coveredHosts += isDraining ? -1 : 1;
        tell(deployment);
      }
    },
    attend: () => {
      const ids = [...due];
      due.clear();
      for (const id of ids) {
        const deployment = deployments.get(id);
        if (deployment !== undefined) attendTo(deployment);
      }
      return ids.length > 0;
    },
  };
}

function isAsWanted(deployment: Deployment, { document }: StoredRecord<'vnf-instance'>): boolean {
  if (deployment.isEnding || document.instantiationState === 'NOT_INSTANTIATED') return false;
  return stepsMissing(deployment, document) === 0;
}

/** Steps of the aspect that was scaled by which what is wanted of the orchestrator falls short; below 0: goes beyond. */
function stepsMissing(
  { target, function: { descriptor } }: Deployment,
  { wanted, displaced = [] }: StoredRecord<'vnf-instance'>['document'],
): number {
  const aspect = descriptor.scaling.find((each) => each.aspect === target?.aspect);
  // What is on its way from one host to another is not counted twice, nor left out: it is waited for.
  if (target === undefined || aspect === undefined || displaced.length > 0) return 0;
  return target.steps - scaleLevel(aspect, countsOfWanted(wanted));
}

function scaledCounts(
  { counts, function: { descriptor } }: Deployment,
  name: string,
  steps: number,
): UnitCounts {
  const aspect = descriptor.scaling.find((each) => each.aspect === name);
  if (aspect === undefined) return counts;
  const more = steps - scaleLevel(aspect, counts);
  const deltas = Object.entries(aspect.deltas);
  return {
    ...counts,
    ...Object.fromEntries(
      deltas.map(([unit, delta]) => [unit, Math.max(0, (counts[unit] ?? 0) + delta * more)]),
    ),
  };
}

function onboarded(name: string, descriptor: IoTFunctionDescriptor, now: number) {
  return {
    op: 'put',
    kind: 'vnf-package',
    id: `package-${name}`,
    tenant: DEFAULT_TENANT,
    document: {
      onboardingState: 'ONBOARDED',
      operationalState: 'ENABLED',
      userDefinedData: {},
      createdAt: toTimestamp(now),
      artifacts: [],
      faults: [],
      descriptor,
    },
  } as const;
}
