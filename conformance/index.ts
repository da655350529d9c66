/** The conformance kit of Mco: plays one side of the reference point, and judges the other by the requirements of the documents. */
export { loadRequirements, parseRequirements, type Requirement } from './requirements.ts';
export { faultsOf, loadOperations, type Operation } from './mco-document.ts';
export type { Case } from './case.ts';
export type { CaseResult } from './play-case.ts';
export {
  NO_OPERATOR,
  OPERATOR_ACTIONS,
  createAskingOperator,
  createCommandOperator,
  type Operator,
  type OperatorAction,
} from './operator.ts';
export { hasPassed, type ConformanceResult, type RequirementResult } from './result.ts';
export { renderResult, summaryOf, type ReportFormat } from './render.ts';
export { UNOBSERVABLE, type Unobservable } from './unobservable.ts';
export { AGENT_CASES } from './agent-kit/cases/index.ts';
export { AGENT_COMMANDS, shellHand, type AgentCommand, type Hands } from './agent-kit/commands.ts';
export { checkAgent, type AgentRunOptions, type Started } from './agent-kit/run.ts';
export { createKitAuthority, type KitAuthority } from './kit-authority.ts';
export { listenOverNats } from './agent-kit/nats-orchestrator-wire.ts';
export { listenOverHttp } from './agent-kit/http-orchestrator-wire.ts';
export { DEFAULT_WORKLOAD, readWorkloadFile, type WorkloadFile } from './agent-kit/workload.ts';
export { ORCHESTRATOR_CASES } from './orchestrator-kit/cases/index.ts';
export { checkOrchestrator, type OrchestratorRunOptions } from './orchestrator-kit/run.ts';
export type { AgentWire } from './orchestrator-kit/agent-wire.ts';
export { parseNatsTarget } from './nats/target.ts';
export { createNatsAgentWire } from './orchestrator-kit/nats-agent-wire.ts';
export { createHttpAgentWire } from './orchestrator-kit/http-agent-wire.ts';
