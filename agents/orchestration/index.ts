/** The orchestration agent of a CSE: takes over what a host has to run, makes it so, and reports. */
export {
  startOrchestrationAgent,
  type OrchestrationAgent,
  type OrchestrationAgentOptions,
} from './orchestration-agent.ts';
export { collectFacts, type HostFacts, type StatedFacts } from './facts.ts';
export { createFactsTeller } from './facts-teller.ts';
export { ReportOutbox } from './report-outbox.ts';
export { createReporter } from './reporter.ts';
export { runWantedLoop } from './wanted-loop.ts';
export { openAssignments } from './open-assignments.ts';
export type { AssignmentStore } from './assignment-store.ts';
export { createLatencyProbe, type LatencyTarget } from './latency-probe.ts';
export type { StoredWanted } from './assignment-store.ts';
