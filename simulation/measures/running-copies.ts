import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import type { ObservedDocument } from '../../orchestrator/domain/index.ts';
import type { StateView } from '../../orchestrator/store/index.ts';
import type { ObservedInstance } from '../../vim-drivers/index.ts';
import type { Power } from '../world/power.ts';
import type { Cause } from './disruptions.ts';

export interface RunningCopiesOptions {
  readonly state: StateView;
  readonly power: Power;
  readonly setRunning: (id: VnfInstanceId, copies: number) => void;
  readonly restarted: (cause: Cause) => void;
}

/** Follows what hosts report: which copies run on hosts that are up in truth, and which were started again. */
export interface RunningCopies {
  see(recordId: string, document: ObservedDocument | undefined): void;
}

interface Report {
  readonly hostId: HostId;
  readonly vnfInstanceId: VnfInstanceId;
  running: number;
  /** Its host is up. */
  isCounted: boolean;
}

export function createRunningCopies({
  state,
  power,
  setRunning,
  restarted,
}: RunningCopiesOptions): RunningCopies {
  const reports = new Map<string, Report>();
  const byHost = new Map<HostId, Set<Report>>();
  const totals = new Map<VnfInstanceId, number>();
  /** By record and slot: epoch and process that ran there last. */
  const processes = new Map<string, Map<number, { readonly epoch: number; readonly pid: number }>>();

  function add(id: VnfInstanceId, copies: number): void {
    if (copies === 0) return;
    const total = (totals.get(id) ?? 0) + copies;
    if (total === 0) totals.delete(id);
    else totals.set(id, total);
    setRunning(id, total);
  }

  function know(recordId: string, { hostId, workload }: ObservedDocument): Report {
    const known = reports.get(recordId);
    if (known !== undefined) return known;
    const { vnfInstanceId } = workload.key;
    const made: Report = { hostId, vnfInstanceId, running: 0, isCounted: power.isUp(hostId) };
    reports.set(recordId, made);
    const onHost = byHost.get(hostId) ?? new Set();
    byHost.set(hostId, onHost.add(made));
    return made;
  }

  /** A host that has just started again reports nothing first: what is still assigned there is about to be. */
  function forget(recordId: string): void {
    if (state.get('assignment', recordId) === undefined) processes.delete(recordId);
    const known = reports.get(recordId);
    if (known === undefined) return;
    if (known.isCounted) add(known.vnfInstanceId, -known.running);
    reports.delete(recordId);
    byHost.get(known.hostId)?.delete(known);
  }

  function noteStarts(recordId: string, instances: readonly ObservedInstance[]): void {
    const before = processes.get(recordId) ?? new Map<number, { epoch: number; pid: number }>();
    processes.set(recordId, before);
    for (const { slot, epoch, pid = 0, restarts } of instances) {
      const was = before.get(slot);
      if (was !== undefined && was.epoch === epoch && was.pid !== pid)
        restarted(restarts > 0 ? 'restarted: lease ended' : 'restarted: power failure');
      before.set(slot, { epoch, pid });
    }
  }

  power.listen({
    down: (hostId, kind) => {
      for (const report of byHost.get(hostId) ?? []) {
        if (report.isCounted) add(report.vnfInstanceId, -report.running);
        report.isCounted = false;
        // Without power nothing runs when the host is back, until it says so.
        if (kind === 'power') report.running = 0;
      }
    },
    up: (hostId) => {
      for (const report of byHost.get(hostId) ?? []) {
        report.isCounted = true;
        add(report.vnfInstanceId, report.running);
      }
    },
  });

  return {
    see: (recordId, document) => {
      if (document === undefined) {
        forget(recordId);
        return;
      }
      const report = know(recordId, document);
      const running = document.workload.instances.filter(({ state: phase }) => phase === 'RUNNING');
      noteStarts(recordId, running);
      if (report.isCounted) add(report.vnfInstanceId, running.length - report.running);
      report.running = running.length;
    },
  };
}
