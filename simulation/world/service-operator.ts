import {
  DEFAULT_TENANT,
  IotmanoError,
  toTimestamp,
  type HostId,
  type LcmOpOccId,
  type NsInstanceId,
} from '../../kernel/index.ts';
import { countsOfLevel } from '../../orchestrator/lifecycle/index.ts';
import type { Services } from '../../orchestrator/services/index.ts';
import type { StateStore, StoredRecord } from '../../orchestrator/store/index.ts';
import { createHistogram, type Histogram } from '../measures/histogram.ts';
import { accountOfConstituent, type Ledger } from '../measures/ledger.ts';
import type { ScenarioConstituent, ScenarioService } from '../scenario/types.ts';
import type { Fleet } from './fleet.ts';
import type { Timeline } from './timeline.ts';

/** How those fared who asked for services. Milliseconds. */
export interface ServiceScore {
  readonly counts: { readonly asked: number; readonly instantiated: number; readonly terminated: number };
  readonly toInstantiate: Histogram;
  readonly toTerminate: Histogram;
}

/** Who asks the orchestrator for services, and asks again for what was refused. */
export interface ServiceOperator {
  onboard(services: readonly ScenarioService[]): void;
  deploy(name: string, parameters: Readonly<Record<string, unknown>>): NsInstanceId;
  terminate(id: NsInstanceId): void;
  /** The newest of a service. */
  terminateNewest(name: string, count: number): void;
  /** A host is being emptied, or used again: functions that cover it want one copy less, or more. */
  setDraining(hostId: HostId, isDraining: boolean): void;
  /** Makes the requests that are due. Whether there were any. */
  attend(): boolean;
  /** Requests that were refused, or whose operation failed, and are made again. */
  readonly refusals: number;
  readonly score: ServiceScore;
}

export interface ServiceOperatorOptions {
  readonly store: StateStore;
  readonly services: Services;
  readonly timeline: Timeline;
  readonly fleet: Fleet;
  readonly ledger: Ledger;
  readonly retryMilliseconds: number;
}

interface Deployment {
  readonly id: NsInstanceId;
  readonly service: ScenarioService;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Elapsed time of the request that is being carried out. */
  since: number;
  isUp: boolean;
  isEnding: boolean;
  /** A refused request is not made again before then. */
  notBefore: number;
}

export function createServiceOperator(options: ServiceOperatorOptions): ServiceOperator {
  const { store, services, timeline, fleet, ledger, retryMilliseconds } = options;
  const known = new Map<string, ScenarioService>();
  const deployments = new Map<NsInstanceId, Deployment>();
  const draining = new Set<HostId>();
  const due = new Set<NsInstanceId>();
  const toInstantiate = createHistogram();
  const toTerminate = createHistogram();
  let asked = 0;
  let terminated = 0;
  let refusals = 0;

  store.subscribe(({ entries }) => {
    for (const { kind, id } of entries)
      if (kind === 'ns-instance' && deployments.has(id as NsInstanceId)) due.add(id as NsInstanceId);
  });

  function tell({ id, service, isEnding }: Deployment): void {
    for (const constituent of service.constituents)
      ledger.setWanted(accountOfConstituent(id, constituent.name), isEnding ? 0 : copiesOf(constituent), {
        isCoverage: constituent.coverage !== undefined,
      });
  }

  function copiesOf({ descriptor, flavour, level, coverage }: ScenarioConstituent): number {
    if (coverage !== undefined) {
      const covered = fleet.matching(coverage).filter(({ hostId }) => !draining.has(hostId));
      return covered.length * descriptor.units.length;
    }
    const { counts } = countsOfLevel(descriptor, flavour, level);
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  }

  /** Asks for what differs from what is wanted, unless an operation is under way. */
  function attendTo(deployment: Deployment): void {
    const record = store.get('ns-instance', deployment.id);
    if (record === undefined) return;
    const { activeOpOcc, state } = record.document;
    const failed = activeOpOcc === undefined ? undefined : failedOperation(activeOpOcc);
    if (activeOpOcc !== undefined && failed === undefined) return;
    if (activeOpOcc === undefined && state === 'INSTANTIATED' && !deployment.isEnding) {
      noteUp(deployment);
      return;
    }
    if (timeline.elapsedMilliseconds < deployment.notBefore) return;
    if (deployment.notBefore > 0) refusals += 1;
    deployment.notBefore = timeline.elapsedMilliseconds + retryMilliseconds;
    timeline.at(Math.max(deployment.notBefore, timeline.elapsedMilliseconds + 1), () =>
      due.add(deployment.id),
    );
    attempt(() => {
      if (failed === undefined) ask(deployment, state);
      else if (deployment.isEnding && failed.document.operation === 'INSTANTIATE')
        services.opOccs.rollback(DEFAULT_TENANT, failed.id);
      else services.opOccs.retry(DEFAULT_TENANT, failed.id);
    });
  }

  function failedOperation(id: LcmOpOccId): StoredRecord<'ns-lcm-op-occ'> | undefined {
    const operation = store.get('ns-lcm-op-occ', id);
    return operation?.document.state === 'FAILED_TEMP' ? operation : undefined;
  }

  function noteUp(deployment: Deployment): void {
    deployment.notBefore = 0;
    if (deployment.isUp) return;
    deployment.isUp = true;
    toInstantiate.add(timeline.elapsedMilliseconds - deployment.since);
  }

  function ask(deployment: Deployment, state: 'INSTANTIATED' | 'NOT_INSTANTIATED'): void {
    const { id, parameters, isEnding } = deployment;
    const { ns } = services;
    if (state === 'INSTANTIATED') {
      ns.terminate(DEFAULT_TENANT, id, {});
      deployment.notBefore = 0;
    } else if (isEnding) {
      ns.delete(DEFAULT_TENANT, id);
      deployments.delete(id);
      terminated += 1;
      toTerminate.add(timeline.elapsedMilliseconds - deployment.since);
    } else {
      ns.instantiate(DEFAULT_TENANT, id, { nsFlavourId: 'default', additionalParamsForNs: parameters });
    }
  }

  return {
    get refusals() {
      return refusals;
    },
    get score() {
      const instantiated = [...deployments.values()].filter(({ isUp, isEnding }) => isUp && !isEnding).length;
      return { counts: { asked, instantiated, terminated }, toInstantiate, toTerminate };
    },
    onboard: (all) => {
      for (const each of all) known.set(each.name, each);
      store.commit(all.map((each) => onboarded(each, timeline.now())));
    },
    deploy: (name, parameters) => {
      const service = known.get(name);
      if (service === undefined) throw new IotmanoError('internal', `the scenario has no service ${name}`);
      asked += 1;
      const created = services.ns.create(DEFAULT_TENANT, {
        nsdId: service.descriptor.metadata.id,
        nsName: `${name}-${asked}`,
        nsDescription: '',
      });
      const deployment: Deployment = {
        id: created.id as NsInstanceId,
        service,
        parameters,
        since: timeline.elapsedMilliseconds,
        isUp: false,
        isEnding: false,
        notBefore: 0,
      };
      deployments.set(deployment.id, deployment);
      tell(deployment);
      due.add(deployment.id);
      return deployment.id;
    },
    terminate: (id) => {
      const deployment = deployments.get(id);
      if (deployment === undefined || deployment.isEnding) return;
      Object.assign(deployment, { isEnding: true, notBefore: 0, since: timeline.elapsedMilliseconds });
      tell(deployment);
      due.add(id);
    },
    terminateNewest(name, count) {
      const alive = [...deployments.values()].filter(
        ({ service, isEnding }) => service.name === name && !isEnding,
      );
      for (const { id } of alive.slice(-count)) this.terminate(id);
    },
    setDraining: (hostId, isDraining) => {
      if (isDraining) draining.add(hostId);
      else draining.delete(hostId);
      for (const deployment of deployments.values())
        if (deployment.service.constituents.some(({ coverage }) => coverage !== undefined)) tell(deployment);
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

/** What is refused for want of room, or since something is under way, is asked for again; all else is a fault of the scenario. */
function attempt(request: () => void): void {
  try {
    request();
  } catch (error) {
    if (!(error instanceof IotmanoError) || (error.kind !== 'capacity' && error.kind !== 'conflict'))
      throw error;
  }
}

function onboarded({ name, descriptor }: ScenarioService, now: number) {
  return {
    op: 'put',
    kind: 'ns-descriptor',
    id: `nsd-${name}`,
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
