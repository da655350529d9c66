/** The orchestrator's ends of Mco over NATS. Loaded only where it is used. */
export { loadAccountKeys, type AccountKeys } from './account-keys.ts';
export { hostUserJwt } from './claims.ts';
export { createNatsBinding, type NatsBinding, type NatsBindingOptions } from './binding.ts';
export { parseNatsPlace, type NatsPlace } from './connect.ts';
export { enrolmentCredential } from './enrolment-credential.ts';
export { renderServerConfig, type NatsServerPlan } from './server-config.ts';
