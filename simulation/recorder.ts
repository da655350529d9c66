import type { HostId, VnfInstanceId } from '../kernel/index.ts';
import type { ObservedDocument, VnfInstanceDocument } from '../orchestrator/domain/index.ts';
import { wantedVnfcs } from '../orchestrator/domain/index.ts';
import type { Lifecycle } from '../orchestrator/lifecycle/index.ts';
import type { Change, StateStore } from '../orchestrator/store/index.ts';
import { createDisruptions } from './measures/disruptions.ts';
import type { Histogram } from './measures/histogram.ts';
import { accountOfConstituent, type Account, type Ledger } from './measures/ledger.ts';
import { createRunningCopies } from './measures/running-copies.ts';
import { createUsedHosts } from './measures/used-hosts.ts';
import { measureUtilisation } from './measures/utilisation.ts';
import type { Quantiles, Sample, SimulationReport } from './report.ts';
import type { Fleet } from './world/fleet.ts';
import type { Power } from './world/power.ts';
import type { ServiceScore } from './world/service-operator.ts';

export interface RecorderOptions {
  readonly store: StateStore;
  readonly lifecycle: Lifecycle;
  readonly fleet: Fleet;
  readonly power: Power;
  readonly ledger: Ledger;
}

/** What those who ask have to say of it. */
export interface Asked {
  /** Requests that were made again. */
  readonly retries: number;
  readonly services: ServiceScore;
}

/** Watches what the store says and what is true, and keeps the score. */
export interface Recorder {
  /** Time passes while all stays as it is. */
  pass(milliseconds: number): void;
  sample(atSeconds: number): Sample;
  totals(asked: Asked): SimulationReport['totals'];
}

export function createRecorder({ store, lifecycle, fleet, power, ledger }: RecorderOptions): Recorder {
  const disruptions = createDisruptions(store);
  const used = createUsedHosts(fleet);
  /** Of function instances that belong to services. */
  const accounts = new Map<VnfInstanceId, Account>();
  const accountOf = (id: VnfInstanceId): Account => accounts.get(id) ?? id;
  const running = createRunningCopies({
    state: store,
    power,
    setRunning: (id, copies) => ledger.setRunning(accountOf(id), copies),
    restarted: (cause) => disruptions.count(cause),
  });
  let placements = 0;
  let cost = 0;

  function seeInstance(id: VnfInstanceId, document: VnfInstanceDocument | undefined): void {
    placements += disruptions.see(id, document);
    if (document?.nsInstanceId !== undefined && document.constituent !== undefined)
      accounts.set(id, accountOfConstituent(document.nsInstanceId, document.constituent));
    ledger.setPlaced(accountOf(id), copiesOf(document));
    if (document !== undefined) return;
    // Whatever is still heard of it is not what its service asks for next.
    ledger.setRunning(accountOf(id), 0);
    accounts.delete(id);
  }

  store.subscribe(({ entries }: Change) => {
    for (const { kind, id, record } of entries) {
      if (kind === 'vnf-instance')
        seeInstance(id as VnfInstanceId, record?.document as VnfInstanceDocument | undefined);
      else if (kind === 'observed') running.see(id, record?.document as ObservedDocument | undefined);
      else if (kind === 'assignment')
        used.assigned(id.slice(0, id.indexOf('.')) as HostId, id, record !== undefined);
    }
  });

  return {
    pass: (milliseconds) => {
      ledger.pass(milliseconds);
      cost += (used.costPerHour * milliseconds) / 3_600_000;
    },
    sample: (atSeconds) => ({
      atSeconds,
      hostsUp: fleet.hosts.length - power.hostsDown,
      hostsInUse: used.count,
      costPerHour: used.costPerHour,
      placements,
      disruptions: Object.values(disruptions.counts).reduce((sum, count) => sum + count, 0),
      ...ledger.totals(),
      ...lifecycle.context.inventory.look((index) => measureUtilisation(index, fleet, power.isUp)),
    }),
    totals: ({ retries, services }) => ({
      wantedSeconds: ledger.wantedSeconds,
      unplacedSeconds: ledger.unplacedSeconds,
      peakUnplaced: ledger.peakUnplaced,
      downSeconds: ledger.downSeconds,
      peakDown: ledger.peakDown,
      disruptions: disruptions.counts,
      cost,
      placements,
      retries,
      toPlace: quantilesOf(ledger.toPlace),
      toRecover: quantilesOf(ledger.toRecover),
      services: {
        ...services.counts,
        toInstantiate: quantilesOf(services.toInstantiate),
        toTerminate: quantilesOf(services.toTerminate),
      },
    }),
  };
}

/** What is set aside for a function whose turn has not come yet has a host as well. */
function copiesOf(document: VnfInstanceDocument | undefined): number {
  if (document === undefined) return 0;
  const { wanted, reservation = [] } = document;
  return wantedVnfcs(wanted.length > 0 ? wanted : reservation).length;
}

function quantilesOf(histogram: Histogram): Quantiles {
  const [p50, p99] = [histogram.quantile(0.5), histogram.quantile(0.99)];
  return {
    count: histogram.count,
    ...(p50 === undefined ? {} : { p50Seconds: p50 / 1000 }),
    ...(p99 === undefined ? {} : { p99Seconds: p99 / 1000 }),
  };
}
