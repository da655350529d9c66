/** The orchestration agent and the monitoring agent of a CSE's host: one process, two modules, two loops, one identity. */
export {
  enrolHost,
  leaveOrchestrator,
  runAgent,
  type AgentOptions,
  type DriverContext,
} from './run-agent.ts';
export { readFunctionLogs, type FunctionLogOptions } from './function-logs.ts';
export type { StatedFacts } from './orchestration/index.ts';
