import type { VnfInstanceId } from '../../kernel/index.ts';
import type { ScheduledRun } from '../../vim-drivers/index.ts';
import type { ObservedDocument, VnfInstanceDocument } from '../domain/index.ts';
import { RUN_ALARM, type LifecycleContext } from './context.ts';
import { packageOf } from './function-catalog.ts';

/** Raises the alarm of a function whose last run failed somewhere, and clears it once the last run has completed everywhere. */
export function tellFailedRuns(
  { index, catalog, alarms }: LifecycleContext,
  vnfInstanceId: VnfInstanceId,
  { vnfPkgId }: VnfInstanceDocument,
): void {
  if (packageOf(catalog, vnfPkgId).descriptor.run.mode !== 'schedule') return;
  const failed = index.observedOf(vnfInstanceId).flatMap(({ document }) => describeFailure(document) ?? []);
  const [first, ...others] = failed;
  if (first === undefined) {
    alarms.clear(vnfInstanceId, [RUN_ALARM]);
    return;
  }
  const text = failed.slice(0, TOLD).map((each) => each.text);
  const more = failed.length > TOLD ? [`and on ${failed.length - TOLD} more hosts`] : [];
  alarms.raise({
    vnfInstanceId,
    ...(others.length === 0 ? { hostId: first.hostId } : {}),
    name: RUN_ALARM,
    text: [...text, ...more].join('; '),
  });
}

const TOLD = 5;

function describeFailure({
  hostId,
  workload,
}: ObservedDocument): { readonly hostId: ObservedDocument['hostId']; readonly text: string } | undefined {
  const last = workload.schedule?.runs.find(isJudged);
  if (last === undefined || last.state === 'COMPLETED') return undefined;
  const { unit } = workload.key;
  const reason = last.reason ?? 'no reason given';
  return { hostId, text: `the run of ${unit} on ${hostId} of ${last.scheduledAt} failed: ${reason}` };
}

/** Whether it says how the function does: what was stopped for something else, or never started, does not. */
function isJudged({ state }: ScheduledRun): boolean {
  return state === 'COMPLETED' || state === 'FAILED' || state === 'TOO_LONG';
}
