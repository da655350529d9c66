/** The orchestrator's own orchestration agent and monitoring agent: the other ends of Mco, and what operators do with hosts. */
export { createMco, type Mco } from './mco.ts';
export type { McoOptions } from './mco-context.ts';
export { hostExplanationRoutes } from './host-explanation-routes.ts';
export { hostRoutes } from './host-routes.ts';
export { enrolmentTokenRoutes, type MakeNatsCredential } from './enrolment-token-routes.ts';
export { disconnectRevoked } from './disconnect-revoked.ts';
export type { NatsBinding, NatsServerPlan } from './nats/index.ts';
export { loadNatsBinding } from './load-nats.ts';
