/** The orchestrator: functions and services from descriptor to running copies, over hosts with agents. */
export { runOrchestrator, type OrchestratorOptions, type RunningOrchestrator } from './main.ts';
export { compose, type ComposeOptions, type Composition } from './compose.ts';
export { natsServerConfig, type NatsOptions } from './compose-nats.ts';
export type { NatsServerPlan } from './mco/index.ts';
