/** The orchestrator's own orchestration agent and monitoring agent: the other ends of Mco, and what operators do with hosts. */
export { createMcoRoutes } from './mco.ts';
export type { McoOptions } from './mco-context.ts';
export { hostExplanationRoutes } from './host-explanation-routes.ts';
export { hostRoutes } from './host-routes.ts';
export { enrolmentTokenRoutes } from './enrolment-token-routes.ts';
export { disconnectRevoked } from './disconnect-revoked.ts';
