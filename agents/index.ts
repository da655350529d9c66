/** The orchestration agent and the monitoring agent of a CSE's host: one process, one identity. */
export { enrolHost, leaveOrchestrator, runAgent, type AgentEnd } from './run-agent.ts';
export { STATE_FORMATS } from './state-formats.ts';
export {
  canBecomeProgram,
  followParent,
  openOwnProgram,
  restartInstalled,
  startVersion,
  type OwnProgram,
} from './upgrade/index.ts';
export type { AgentOptions, DriverContext } from './agent-options.ts';
export { readFunctionLogs, type FunctionLogOptions } from './function-logs.ts';
export { createWakeup } from './wakeup.ts';
export type { LatencyTarget, StatedFacts } from './orchestration/index.ts';
