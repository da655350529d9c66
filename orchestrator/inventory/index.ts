/** Hosts: enrolment, identity, facts, sessions, leases, and the detection of lost ones. */
export { createInventory, type Inventory, type InventoryOptions } from './inventory.ts';
export { countAssignments, isVisible, requireVisibleHost, type HostModifications } from './host-changes.ts';
export type { EnrolmentRequest, EnrolledHost } from './enrolment.ts';
export type { EnrolmentTokenRequest, EnrolmentTokens } from './enrolment-tokens.ts';
export type { FactsMessage } from './facts.ts';
export type { LeaseTerms } from './heartbeat.ts';
export { createMessageSequences, type MessageNumber, type MessageSequences } from './message-sequences.ts';
export { SESSION_SECONDS, type OpenedSession, type SessionRequest } from './open-session.ts';
export { isStateConfirmed } from './state-ids.ts';
