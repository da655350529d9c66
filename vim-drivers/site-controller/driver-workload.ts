import type { RunSchedule } from '../../descriptors/index.ts';
import type { WantedInstance, Workload, WorkloadSpec } from '../contract.ts';

export function scheduleOf({ run }: Pick<WorkloadSpec, 'run'>): RunSchedule | undefined {
  return run.mode === 'schedule' ? run : undefined;
}

/** Whether an operator has paused it. What the parameter is now, the bindings say. */
export function isPaused({ spec, bindings }: Pick<Workload, 'spec' | 'bindings'>): boolean {
  const name = scheduleOf(spec)?.pausedBy;
  return name !== undefined && bindings.config[name] === true;
}

/** What the driver is given of a scheduled workload: a job with the instances of its runs. The parameter that pauses it is not the function's matter. */
export function driverWorkload(workload: Workload, instances: readonly WantedInstance[]): Workload {
  const { spec, bindings } = workload;
  const pausedBy = scheduleOf(spec)?.pausedBy;
  const config = Object.entries(bindings.config).filter(([name]) => name !== pausedBy);
  return {
    ...workload,
    spec: { ...spec, run: { mode: 'job' } },
    instances,
    bindings: { ...bindings, config: Object.fromEntries(config) },
  };
}
